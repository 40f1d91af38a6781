# Every target says what it does: make help.
GO            ?= go
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GORELEASER    := github.com/goreleaser/goreleaser/v2@v2.15.4
# Runs of each fuzz test; a time such as 1m works too, but Go then fails now and then with "context deadline exceeded".
FUZZTIME      ?= 5000x
SOAK          ?= 10m

# Every target compiles in the same way, so that what one has compiled is not compiled again by the next: building with
# other flags takes as long again as the first build.
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

# Without -vet=off, go test runs vet over every dependency too, which takes as long as compiling them the first time. Vet is
# run by make lint, and by make race.
.PHONY: test
test: ## Run the tests that need nothing but Go
	$(GO) test -vet=off ./...

# The race detector needs cgo.
race soak: export CGO_ENABLED = 1

.PHONY: race
race: ## Run the same tests under the race detector, but for those that measure what hostile files cost
	$(GO) test -race $$($(GO) list ./... | grep -v /test/bombs)

.PHONY: build
build: ## Build bin/dynamic-toolset
	$(GO) build -o bin/dynamic-toolset ./cmd/dynamic-toolset

.PHONY: cross
cross: ## Build for the other systems that a release has archives for (.goreleaser.yaml)
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
test-holmes: ## Load what is written with the real HolmesGPT (needs Python 3.10 to 3.13; makes its own virtual environment)
	$(GO) test -count=1 -timeout 30m -tags holmes ./test/holmes

.PHONY: real-products
real-products: ## Get the real products of the lab into the user's cache, once (half an hour), or PRODUCTS="loki thanos" alone
	@$(GO) run ./test/real/build $(REAL) $(PRODUCTS)

.PHONY: test-real
test-real: real-products controlplane ## Try the service on real products behind real fronts, and the real HolmesGPT on both (docs/development/lab.md)
	PRODUCTS="$(PRODUCTS)" $(GO) test -count=1 -timeout 30m -tags real ./test/real
	$(GO) test -count=1 -timeout 10m -tags real,integration -run '^TestBridgeHolmesGPT$$' ./test/integration

.PHONY: test-browser
test-browser: ## Look at the page in a real Chromium (needs Node.js 20; root on Debian gets Chromium installed)
	@./test/browser/prepare
	$(GO) test -count=1 -timeout 15m -tags browser ./test/browser

.PHONY: test-openapi
test-openapi: ## Check the API's description with a validator, and a client that is generated from it
	cd test/openapi && $(GO) test -count=1 -timeout 10m ./...

.PHONY: controlplane
controlplane: ## Build kube-apiserver, kubectl and etcd into the user's cache, once (about ten minutes), or find them in KUBEBUILDER_ASSETS
	@GO="$(GO)" ./test/controlplane/build

.PHONY: test-integration
test-integration: controlplane ## Run the built binary against a real kube-apiserver and etcd, or of its tests only RUN=regexp
	$(GO) test -count=1 -p 1 -parallel 4 -timeout 50m -tags integration $(if $(RUN),-run '$(RUN)') $(INTEGRATION) ./internal/cluster ./internal/publish ./test/integration/...

# The versions are those that test/controlplane has files of modules for. Each is built once, which takes some six minutes.
.PHONY: test-kubernetes
test-kubernetes: ## Try the shipped rights and manifests on each Kubernetes of test/controlplane, or on KUBERNETES=1.35 alone
	@set -e; unset KUBEBUILDER_ASSETS; for version in $(or $(KUBERNETES),$$(./test/controlplane/build --versions)); do \
	  export KUBERNETES=$$version; \
	  GO="$(GO)" ./test/controlplane/build >/dev/null; \
	  echo "Kubernetes $$version"; \
	  $(GO) test -count=1 -p 1 -timeout 30m -tags integration -run '^TestShipped' ./test/integration; done

.PHONY: soak
soak: controlplane ## Run two replicas under the race detector for SOAK (10m) while 500 Services change all the time
	SOAK=$(SOAK) $(GO) test -race -count=1 -timeout 40m -tags integration,soak -run '^TestSoak$$' -v ./test/integration

# What real products are not in the cache yet is built first, where that takes minutes; a stand-in takes the place of the others.
.PHONY: day
day: controlplane ## Live a day in DAY (20m): all that happens in a cluster, beside the real HolmesGPT; SEED=1 has the same happen again
	-@$(GO) run ./test/real/build -longest 5m -budget 10m nginx prometheus-debian victoria-metrics jaeger
	DAY=$(DAY) SEED=$(SEED) $(GO) test -count=1 -timeout 170m -tags integration,day -run '^TestDay$$' -v ./test/day

.PHONY: fuzz
fuzz: ## Fuzz the parts that read what strangers write, FUZZTIME (5000x) each
	@set -e; for target in $$($(GO) list ./... | xargs -n1 sh -c 'for f in $$($(GO) test -list "^Fuzz" $$0 | grep ^Fuzz); do echo $$0:$$f; done'); do \
	  echo "fuzzing $$target"; \
	  $(GO) test -run '^$$' -fuzz "^$${target##*:}$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $${target%%:*}; done

# BENCH_SERVICES=1000,10000,100000 measures how it grows, RUNS is how often everything is measured, BENCH_ONLY=start,reaction
# measures parts (start, reaction, api, quiet, peers, changes, dead, agent, detection, build; agent installs HolmesGPT), BENCH_PROFILE=folder leaves profiles there,
# and BENCH_WRITE=1 writes docs/development/performance.md, which takes a machine that does nothing else.
.PHONY: bench
bench: controlplane ## Measure speed and memory against the targets, with 10,000 Services or BENCH_SERVICES, RUNS times (3)
	$(GO) test -run '^$$' -bench . -benchmem ./internal/detect ./internal/files ./internal/health ./internal/probe ./test/bombs
	$(GO) test -count=1 -timeout 170m -tags integration,bench -run '^TestPerformance$$' -v ./test/bench

# The targets are those of 10,000 Services and are not asked for here: but for what compares with itself, no speed makes it
# fail.
.PHONY: bench-short
bench-short: controlplane ## Run all of the benchmark but detection once with 1,000 Services, in about two minutes
	$(GO) test -run '^$$' -bench ProbeEnd -benchtime 0.3s ./internal/health
	$(GO) test -run '^$$' -bench Crowd -benchtime 1x ./internal/store
	$(GO) test -run '^$$' -bench RoundAtTheSizeLimit -benchtime 5x ./internal/controller
	$(GO) test -run '^$$' -bench HostileAnswers -benchtime 20x ./internal/probe
	BENCH_SERVICES=1000 RUNS=1 BENCH_MINUTE=6s BENCH_HOUR=6s BENCH_ONLY=start,reaction,api,quiet,peers,changes,dead \
	  $(GO) test -count=1 -timeout 15m -tags integration,bench -run '^TestPerformance$$' -v ./test/bench

.PHONY: docs
docs: ## Write the reference pages in docs/reference from the code
	$(GO) run ./tools/reference

.PHONY: requirements
requirements: ## Print which tests name which requirement; fails on one without a test
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
test-monitoring: ## Have a real Prometheus scrape the service: every alert fires and clears, every panel has data (root on Debian gets it installed)
	@./test/monitoring/prepare
	@GO="$(GO)" ./test/chart/helm >/dev/null
	$(GO) test -count=1 -timeout 60m -tags monitoring ./test/monitoring

.PHONY: image
image: ## Build the container image, for every platform, as an OCI layout in dist/image/dynamic-toolset.tar
	cd build/image && $(GO) run . -root ../.. -out dist/image

.PHONY: test-image
test-image: ## Build the image twice and look into it: nothing but the program, as nobody, the same bytes
	$(GO) test -count=1 -timeout 40m -tags image ./test/image

.PHONY: release
release: ## Release what the tag of this commit names (continuous integration does); RELEASE="--snapshot --skip=sbom" tries it, without a tag and syft
	$(GO) run $(GORELEASER) release --clean $(RELEASE)

.PHONY: ci
ci: ## Run everything that continuous integration runs
	@bash .ci/run
