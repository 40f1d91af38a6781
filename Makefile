# make help lists the targets and what they do.
GO            ?= go
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GORELEASER    := github.com/goreleaser/goreleaser/v2@v2.15.4
# Number of runs of each fuzz test. A duration such as 1m works too, but then Go sometimes fails with "context deadline exceeded".
FUZZTIME      ?= 5000x
SOAK          ?= 10m

# All targets build with the same flags, so that they share the build cache. A build with other flags takes as long as a
# first build.
export CGO_ENABLED = 0
export GOFLAGS    += -trimpath

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Run the service on stand-in backends on this machine, until Ctrl-C or for DEMO (as in DEMO=30s)
	$(GO) build -o bin/ ./cmd/dynamic-toolset ./examples/demo
	@bin/demo $(if $(DEMO),-for $(DEMO))

# Without -vet=off, go test also runs vet over every dependency, which at first takes as long as compiling them. make lint
# and make race run vet.
.PHONY: test
test: ## Run the tests that need nothing but Go
	$(GO) test -vet=off ./...

# The race detector needs cgo.
race soak: export CGO_ENABLED = 1

.PHONY: race
race: ## Run the same tests under the race detector, except those that measure the cost of hostile files
	$(GO) test -race $$($(GO) list ./... | grep -v /test/bombs)

.PHONY: build
build: ## Build bin/dynamic-toolset
	$(GO) build -o bin/dynamic-toolset ./cmd/dynamic-toolset

.PHONY: cross
cross: ## Build for other platforms of a release (.goreleaser.yaml)
	@set -e; for platform in windows/amd64 darwin/arm64 linux/arm64; do echo "building for $$platform"; \
	  GOOS=$${platform%/*} GOARCH=$${platform#*/} $(GO) build -o /dev/null ./cmd/dynamic-toolset; done

.PHONY: lint
lint: ## Run golangci-lint and check formatting and go.mod
	@test -z "$$(gofmt -l .)" || { echo "not gofmt-clean:"; gofmt -l .; exit 1; }
	$(GO) mod tidy -diff
	$(GO) run $(GOLANGCI_LINT) run --allow-parallel-runners ./...

.PHONY: corpus
corpus: ## Score detection on labelled Services of real charts, if they are at ../shared/corpus
	$(GO) test -count=1 -v -run TestCorpus ./test/corpus

.PHONY: test-holmes
test-holmes: ## Load the documents with the real HolmesGPT (needs Python 3.10 to 3.13; creates its own virtual environment)
	$(GO) test -count=1 -timeout 30m -tags holmes ./test/holmes

.PHONY: real-products
real-products: ## Get the real products of the lab into the user's cache, once (half an hour), or PRODUCTS="loki thanos" alone
	@$(GO) run ./test/real/build $(REAL) $(PRODUCTS)

.PHONY: test-real
test-real: real-products controlplane ## Test the service on real products behind real proxies, with the real HolmesGPT (docs/development/lab.md)
	PRODUCTS="$(PRODUCTS)" $(GO) test -count=1 -timeout 30m -tags real ./test/real
	$(GO) test -count=1 -timeout 10m -tags real,integration -run '^TestBridgeHolmesGPT$$' ./test/integration

.PHONY: test-browser
test-browser: ## Test the page in a real Chromium (needs Node.js 20 or newer; installs Chromium as root on Debian)
	@./test/browser/prepare
	$(GO) test -count=1 -timeout 15m -tags browser ./test/browser

.PHONY: test-openapi
test-openapi: ## Check the API's OpenAPI document with a validator and a generated client
	cd test/openapi && $(GO) test -count=1 -timeout 10m ./...

.PHONY: controlplane
controlplane: ## Build kube-apiserver, kubectl and etcd into the user's cache, once (about ten minutes), or find them in KUBEBUILDER_ASSETS
	@GO="$(GO)" ./test/controlplane/build

.PHONY: test-integration
test-integration: controlplane ## Test the built binary on a real kube-apiserver and etcd; RUN=regexp runs only these tests
	$(GO) test -count=1 -p 1 -parallel 4 -timeout 50m -tags integration $(if $(RUN),-run '$(RUN)') $(INTEGRATION) ./internal/cluster ./internal/publish ./test/integration/...

# test/controlplane has the modules of each version. Each is built once, in about six minutes.
.PHONY: test-kubernetes
test-kubernetes: ## Test the shipped rights and manifests on each Kubernetes of test/controlplane, or only on KUBERNETES=1.35
	@set -e; unset KUBEBUILDER_ASSETS; for version in $(or $(KUBERNETES),$$(./test/controlplane/build --versions)); do \
	  export KUBERNETES=$$version; \
	  GO="$(GO)" ./test/controlplane/build >/dev/null; \
	  echo "Kubernetes $$version"; \
	  $(GO) test -count=1 -p 1 -timeout 30m -tags integration -run '^TestShipped' ./test/integration; done

.PHONY: soak
soak: controlplane ## Run two replicas under the race detector for SOAK (10m) while 500 Services change all the time
	SOAK=$(SOAK) $(GO) test -race -count=1 -timeout 40m -tags integration,soak -run '^TestSoak$$' -v ./test/integration

# Builds the real products that are missing in the cache first, if that takes minutes. A stand-in replaces each other one.
.PHONY: day
day: controlplane ## Run a day in a cluster in DAY (20m), beside the real HolmesGPT; SEED repeats a run (docs/development/day.md)
	-@$(GO) run ./test/real/build -longest 5m -budget 10m nginx prometheus-debian victoria-metrics jaeger
	DAY=$(DAY) SEED=$(SEED) $(GO) test -count=1 -timeout 170m -tags integration,day -run '^TestDay$$' -v ./test/day

.PHONY: fuzz
fuzz: ## Fuzz the parsers of untrusted input, FUZZTIME (5000x) each
	@set -e; for target in $$($(GO) list ./... | xargs -n1 sh -c 'for f in $$($(GO) test -list "^Fuzz" $$0 | grep ^Fuzz); do echo $$0:$$f; done'); do \
	  echo "fuzzing $$target"; \
	  $(GO) test -run '^$$' -fuzz "^$${target##*:}$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $${target%%:*}; done

# BENCH_SERVICES=1000,10000,100000 measures several sizes of clusters, RUNS times each. BENCH_ONLY=start,reaction measures only
# these parts (start, reaction, api, quiet, peers, changes, dead, agent, detection, build; agent installs HolmesGPT).
# BENCH_PROFILE=folder writes profiles. BENCH_WRITE=1 writes docs/development/performance.md, on an otherwise idle machine.
.PHONY: bench
bench: controlplane ## Measure speed and memory against the targets, with 10,000 Services or BENCH_SERVICES, RUNS times (3)
	$(GO) test -run '^$$' -bench . -benchmem ./internal/detect ./internal/files ./internal/health ./internal/probe ./test/bombs
	$(GO) test -count=1 -timeout 170m -tags integration,bench -run '^TestPerformance$$' -v ./test/bench

# Most targets are for 10,000 Services and are not checked here.
.PHONY: bench-short
bench-short: controlplane ## Run the benchmark once with 1,000 Services, without agent, detection and build, in about two minutes
	$(GO) test -run '^$$' -bench ProbeEnd -benchtime 0.3s ./internal/health
	$(GO) test -run '^$$' -bench 'Crowd|Collapse' -benchtime 1x ./internal/store ./internal/inventory
	$(GO) test -run '^$$' -bench LargeObjects -benchtime 1x ./internal/links
	$(GO) test -run '^$$' -bench RoundAtTheSizeLimit -benchtime 5x ./internal/controller
	$(GO) test -run '^$$' -bench HostileAnswers -benchtime 20x ./internal/probe
	BENCH_SERVICES=1000 RUNS=1 BENCH_MINUTE=6s BENCH_HOUR=6s BENCH_ONLY=start,reaction,api,quiet,peers,changes,dead \
	  $(GO) test -count=1 -timeout 15m -tags integration,bench -run '^TestPerformance$$' -v ./test/bench

.PHONY: docs
docs: ## Write the reference pages in docs/reference from the code
	$(GO) run ./tools/reference

.PHONY: requirements
requirements: ## Print which tests name which requirement; fail if one has no test
	@$(GO) run ./test/requirements

.PHONY: size
size: ## Print lines for each package, longest file and function, and what is over its budget
	@$(GO) run ./tools/size

.PHONY: manifests
manifests: ## Render the chart into the plain manifests in deploy (builds helm into the user's cache, once)
	@GO="$(GO)" ./deploy/render

.PHONY: test-chart
test-chart: ## Check the chart, the manifests, the alert rules and the dashboard (needs promtool, of Debian's package prometheus)
	@GO="$(GO)" ./test/chart/helm >/dev/null
	$(GO) test -count=1 -tags chart ./test/chart/...

.PHONY: test-monitoring
test-monitoring: ## Test alerts and dashboard with a real Prometheus: every alert fires and clears, every panel has data (installs it as root on Debian)
	@./test/monitoring/prepare
	@GO="$(GO)" ./test/chart/helm >/dev/null
	$(GO) test -count=1 -timeout 60m -tags monitoring ./test/monitoring

.PHONY: image
image: ## Build the container image, for every platform, as an OCI layout in dist/image/dynamic-toolset.tar
	cd build/image && $(GO) run . -root ../.. -out dist/image

.PHONY: test-image
test-image: ## Build the image twice and check it: only the program, as user nobody, the same bytes
	$(GO) test -count=1 -timeout 40m -tags image ./test/image

.PHONY: release
release: ## Release the tag of this commit (CI does this); RELEASE="--snapshot --skip=sbom" is a trial without a tag and syft
	$(GO) run $(GORELEASER) release --clean $(RELEASE)

.PHONY: ci
ci: ## Run everything that CI runs
	@bash .ci/run
