# syntax=docker/dockerfile:1
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/enilab ./cmd/server
RUN mkdir -p /out/data

# Nothing but the binary: it is static, needs no root, no shell and no files.
FROM scratch
COPY --from=build /out/enilab /enilab
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
EXPOSE 4566
VOLUME /data
# What comes through a published port comes from beyond loopback: page and admin
# API ask for the token that the log prints, the EC2 API for a key, or for none
# with ENILAB_ACCESS_KEY=any (docs/ci.md).
ENTRYPOINT ["/enilab"]
CMD ["serve", "--listen", "0.0.0.0:4566", "--data", "/data"]
