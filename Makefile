# enilab: build, run and prove. Only `go` is needed to build and run; `test`
# also runs the dashboard's and the end-to-end checks when Node, Chromium and
# tshark are there, and says loudly what it could not run. `make stress` runs the
# Go tests again and again on a busy machine.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  = -s -w -X main.version=$(VERSION)
COUNT   ?= 5

# The race detector sees all Go code but SQLite's and its C library's, which are
# C translated to Go: there it finds nothing of ours and takes five times as long.
# What the product and the SQLite driver do with them it sees.
RACE     = -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false

.PHONY: run build test test-go stress test-web test-browser screenshots pictures test-docs contract agents judge simulate mutate bench bench-path bench-scale bench-web soak lint fuzz cross release test-release generate clean answers

# run: the failover demo, fresh, in a temporary directory, live in the browser.
run:
	@echo "compiling bin/enilab: a minute or two the first time, and every package is named when it is done"
	@$(MAKE) --no-print-directory build VERBOSE=-v
	@exec bin/enilab serve --fresh --scenario demo --data "$$(mktemp -d)"

build:
	CGO_ENABLED=0 $(GO) build $(VERBOSE) -trimpath -ldflags '$(LDFLAGS)' -o bin/enilab ./cmd/server

test: test-go test-web test-browser

# -race needs a C compiler; without one the same tests run unraced, said aloud.
# The store kills fewer writers under the race detector, and the data plane may
# allocate otherwise without it, so these run without it too.
# The page's compiler is in no other build than that of its tag.
test-go:
	$(GO) vet ./...
	$(GO) vet -tags webdev ./web ./cmd/server
	$(GO) vet -tags soak ./test/soak
	$(GO) vet -tags judge ./test/judge
	@if [ "$$($(GO) env CGO_ENABLED)" = 1 ] && command -v $$($(GO) env CC) >/dev/null; then \
	  set -ex; $(GO) test $(RACE) -timeout 25m ./...; \
	  $(GO) test -count 1 -timeout 10m -run TestKilledWhileWriting ./internal/store; \
	  $(GO) test -count 1 -timeout 10m ./internal/dataplane/...; \
	else \
	  echo "SKIPPED: the race detector, for want of a C compiler"; set -x; $(GO) test -timeout 25m ./...; \
	fi
	$(GO) test -tags webdev -run Dev ./web

# stress: the Go tests RUNS times under the race detector with every processor
# kept busy, to find those that fail now and then; PKGS and RUN choose some.
RUNS ?= 20
stress:
	@GO=$(GO) RACE='$(RACE)' RUNS=$(RUNS) PKGS='$(or $(PKGS),./...)' RUN='$(or $(RUN),.)' bash test/stress/run.sh

test-web:
	@sh web/scripts/check.sh

test-browser: build
	@sh web/scripts/browser.sh bin/enilab

# screenshots: every state that the page can be in, in both themes and languages, as
# pictures in SHOTS to be looked at; each is checked for accessibility on the way.
SHOTS ?= $(CURDIR)/tmp/screenshots
screenshots: build
	@ENILAB_SHOTS='$(SHOTS)' TESTS=states sh web/scripts/browser.sh bin/enilab && echo "$(SHOTS)"

# pictures: the README's pictures of the page, taken anew.
pictures: build
	@cd web && { [ -d node_modules ] || npm ci --no-audit --no-fund; } && node scripts/pictures.mjs ../bin/enilab

# test-docs: every shell block of the README and of docs/, or of DOCS, as a reader
# would type it; what cannot be run is listed.
test-docs:
	$(GO) run ./test/docs $(DOCS)

# contract: the AWS CLI, boto3, aws-sdk-go-v2, Terraform, Ansible, Libcloud,
# fence_aws and the VPC CNI's EC2 code, unmodified, and the examples of docs/;
# what is not installed is said to be missing.
contract: build
	@ENILAB_BIN=$(CURDIR)/bin/enilab GO=$(GO) bash test/contract/run.sh $(PARTS)

# agents: a cluster's agents take over between two network namespaces; needs root.
agents: build
	@ENILAB_BIN=$(CURDIR)/bin/enilab GO=$(GO) bash test/agents/run.sh

# judge: Linux namespaces and nftables judge the frames of TOPOLOGIES random
# topologies beside the engine, those of SEED and the following. Where root, ip or
# nft is missing it says so; with CI set that is a failure unless JUDGE_OPTIONAL is.
SEED ?= 1
TOPOLOGIES ?= 100
judge:
	$(GO) test -tags judge -count 1 -timeout 20m -v ./test/judge -args -seed $(SEED) -topologies $(TOPOLOGIES)

# simulate: SEEDS random networks with random clients, policies, faults, calls and
# kills in virtual time, from SEED on, on all processors; says how many were run,
# and of a seed that fails how it is run again.
SEEDS ?= 1000
simulate:
	$(GO) test -count 1 -timeout 0 -run '^TestSimulate$$' -v ./internal/virtual -args -seed $(SEED) -seeds $(SEEDS)

# mutate: makes mistakes in the product, one at a time, and has the simulation find
# each; tells after how many seeds. RUN chooses some by a word of their names.
mutate:
	$(GO) run ./test/mutate -go $(GO) -run '$(RUN)'
# answers: what is predicted of a packet is what becomes of it when it is sent, in
# WORLDS random networks with a hundred questions each.
WORLDS ?= 1000
answers:
	$(GO) test -count 1 -timeout 20m -run TestPredictionsAreWhatHappens -v ./internal/dataplane -args -rapid.checks $(WORLDS)

# bench: COUNT times each, then once beside moto_server, which takes turns itself.
bench:
	$(GO) test -run '^$$' -bench . -benchmem -count $(COUNT) -timeout 120m ./internal/... ./cmd/server ./clients/go/... | tee bench.txt
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m ./test/bench | tee -a bench.txt

# bench-path: frames a second beside the kernel's path, gVisor's and
# gvisor-tap-vsock's, in turn; needs root. BASE=<commit> compares with that
# commit instead. ARGS go to the program (-help).
bench-path:
	@GO=$(GO) BASE=$(BASE) sh test/bench/path/run.sh -rounds $(COUNT) $(ARGS)

# bench-scale: a laboratory of 100,000 network interfaces: its start and memory,
# changes where 20,000 are concerned, and what a frame costs beside the others.
bench-scale:
	$(GO) test -run '^$$' -bench 'Scale(Start|Forward)' -benchtime 1x -count $(COUNT) ./internal/dataplane
	$(GO) test -run '^$$' -bench ScaleChange -benchtime 1000x -count $(COUNT) ./internal/dataplane
	$(GO) test -run '^$$' -bench Scale/start -benchtime 1x -count $(COUNT) -timeout 30m ./internal/lab
	$(GO) test -run '^$$' -bench Scale/change -benchtime 1000x -count $(COUNT) -timeout 30m ./internal/lab

# bench-web: the page in Chromium: frames a second, script time, heap, event to
# pixel, bytes, beside their budgets; 10 minutes a row, or ARGS='--seconds 60'.
bench-web: build
	@sh web/scripts/bench.sh bin/enilab $(ARGS)

# soak: MINUTES of writers, moves, captures, streams and hostile clients at once,
# with the server killed every few seconds; prints figures, fails on a violation.
MINUTES ?= 10
soak:
	$(GO) test -tags soak -count 1 -timeout 0 -v ./test/soak -args -minutes $(MINUTES)

lint:
	$(GO) vet ./...
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'run gofmt -w on these'; exit 1; }
	@command -v staticcheck >/dev/null && staticcheck ./... || echo "SKIPPED: staticcheck is not installed (go install honnef.co/go/tools/cmd/staticcheck@v0.8.2)"

# fuzz: each target for FUZZTIME.
FUZZTIME ?= 30s
fuzz:
	@for p in $$($(GO) list ./internal/...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p 2>/dev/null | grep '^Fuzz'); do \
	    echo "== $$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$p || exit 1; \
	  done; \
	done

# cross: the product builds and vets for every system it promises.
cross:
	@for os in linux darwin windows; do \
	  echo "== $$os"; GOOS=$$os CGO_ENABLED=0 $(GO) build -trimpath -o /dev/null ./cmd/server && GOOS=$$os CGO_ENABLED=0 $(GO) vet ./... || exit 1; \
	done

# release: binaries, archives, packages, images and checksums into bin/dist. The
# same commit gives the same bytes; SOURCE_DATE_EPOCH sets another time.
release:
	rm -rf bin/dist
	cd .ci/release && $(GO) run . --source ../.. --out ../../bin/dist --version '$(VERSION)'

# test-release: makes a release twice and unpacks what came out.
test-release:
	cd .ci/release && $(GO) vet . && $(GO) test -count 1 -timeout 20m .

generate:
	$(GO) generate ./...

clean:
	rm -rf bin bench.txt
