# syntax=docker/dockerfile:1
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /out/enilab ./cmd/server
RUN mkdir -p /out/data

# Nothing but the binary: it is static, needs no root, no shell and no files.
# `make release` builds the same image without Docker; a test compares the two.
FROM scratch
ARG VERSION=dev
COPY --from=build /src/.ci/release/rootfs/etc /etc
COPY --from=build /src/LICENSE /src/NOTICE /licenses/
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build /out/enilab /enilab
LABEL org.opencontainers.image.title="enilab"
LABEL org.opencontainers.image.description="An AWS VPC on your laptop, with packets in it"
LABEL org.opencontainers.image.licenses="Apache-2.0"
LABEL org.opencontainers.image.version="${VERSION}"
USER 65532:65532
EXPOSE 4566
VOLUME /data
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["/enilab", "health"]
# What comes through a published port comes from beyond loopback: page and admin
# API ask for the token that the log prints, the EC2 API for a key, or for none
# with ENILAB_ACCESS_KEY=any (docs/ci.md).
ENTRYPOINT ["/enilab"]
CMD ["serve", "--listen", "0.0.0.0:4566", "--data", "/data"]
