# The two commands are "make demo" and "make test"; bare "make" lists all.
.DEFAULT_GOAL := help
.PHONY: help build demo test race lint fuzz fuzz-short bench bench-fanout bench-proxy bench-balance bench-faults docs tools

GOTESTSUM := go run gotest.tools/gotestsum@v1.13.0
FUZZ ?= .
FAULTS ?= .
RUNS ?= 20
LANES ?= 1

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/weir
	go build -trimpath -o bin/weir ./cmd/weir

demo: build ## run a cluster on this machine with a test picture, until Ctrl-C
	./bin/weir demo

test: tools ## install what is missing and run every test
	$(GOTESTSUM) --format pkgname --format-hide-empty-pkg -- -count=1 -timeout 20m ./...

race: ## run the unit tests with the race detector
	$(GOTESTSUM) --format pkgname --format-hide-empty-pkg -- -race -count=1 -timeout 20m ./amf/... ./flv/... ./rtmp/... ./cmd/... ./internal/...

lint: ## gofmt, go vet, staticcheck
	scripts/lint.sh

fuzz-short: ## every fuzz target: those of the wire formats, which strangers reach first, for 30 s, the others for 10 s
	scripts/fuzz.sh 30s '$(FUZZ)' 'amf flv rtmp'
	scripts/fuzz.sh 10s '$(FUZZ)' 'cmd internal'

fuzz: ## every fuzz target for 10 min; FUZZ=pattern chooses
	scripts/fuzz.sh 10m '$(FUZZ)'

bench: ## run the micro benchmarks
	go test -run '^$$' -bench . -benchmem ./amf/... ./flv/... ./rtmp/... ./internal/...

bench-fanout: tools build ## one stream to many viewers, beside nginx-rtmp and the bare floor; SCENES="main low …" or FANOUT="-viewers 500" choose
	go build -trimpath -o bin/fanout ./bench/fanout
	$(if $(SCENES),for s in $(SCENES); do bin/fanout -scene $$s $(FANOUT) || exit 1; done,bin/fanout $(FANOUT))

bench-proxy: tools build ## what it costs to stand in front of other servers, beside HAProxy and nginx-rtmp: 25 min; PROXY="-rounds 1 -viewers 500" chooses
	go build -trimpath -o bin/proxy ./bench/proxy
	bin/proxy $(PROXY)

bench-balance: tools build ## publishers of unequal bitrates over three nginx-rtmp, beside HAProxy's leastconn: 10 min; BALANCE="-rounds 1" chooses
	go build -trimpath -o bin/balance ./bench/balance
	bin/balance $(BALANCE)

bench-faults: tools ## break a cluster 20 times in each way, at full scale; interrupted, it goes on where it was; FAULTS=pattern RUNS=n choose; LANES=4: so many rows side by side
	go test -count=1 -v -timeout 24h -run '$(FAULTS)' ./interop/faults -full -runs $(RUNS) -lanes $(LANES) -out ../../bench/results/faults

docs: ## write the generated documents
	WEIR_WRITE_DOCS=1 go test -count=1 -run "TestLimitsDocIsCurrent|TestReadmeListsThePromisesTests" ./internal ./internal/ops/config

tools:
	@scripts/install-tools.sh
