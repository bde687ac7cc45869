# Every target finds a Python >= 3.12 and makes .venv by itself; run one with TORCH_INDEX=URL at first to
# take torch from another package index (for example one with CPU-only builds).

BIN := .venv/bin
TORCH_INDEX ?=
ARGS ?=

.PHONY: help install demo test lint bench fuzz image-check

help: ## show this list
	@awk -F ': .*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile
	@echo 'TORCH_INDEX=URL takes torch from that package index when .venv is made; ARGS="..." goes to pytest.'

install: ## make .venv with the project and its tools
	@TORCH_INDEX='$(TORCH_INDEX)' .ci/install

demo: install ## enlarge the bundled clip and say what was gained
	@$(BIN)/python -m demo.run

test: install ## run the tests
	@.ci/ensure-oracles
	@OMP_NUM_THREADS=1 PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

lint: install ## check style, types and the direction of imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/hadolint Dockerfile

bench: install ## run every benchmark but benchmarks/peers; each prints what it measured
	@for file in benchmarks/*.py; do \
		if [ -e "$$file" ]; then echo "== $$file"; $(BIN)/python "$$file" || exit 1; \
		else echo 'benchmarks/ holds no benchmark yet'; fi; \
	done

FUZZ ?= --seconds 60

fuzz: install ## harm files at random and see that nothing bad comes of it; FUZZ="--seconds 60 --count N --seed S"
	@.ci/ensure-oracles
	@OMP_NUM_THREADS=1 PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/python -m tests.fuzz $(FUZZ)

IMAGE ?= localhost/rfdn-video:check

image-check: install ## build the container image without a daemon and run it; root on Linux, docs/container.md
	@.ci/ensure-oracles
	@BASE='$(BASE)' TORCH_INDEX='$(TORCH_INDEX)' EXTRAS='$(EXTRAS)' .ci/image-build $(IMAGE)
	@PATH="$(CURDIR)/$(BIN):$$PATH" exec $(BIN)/pytest -m image --image $(IMAGE) tests/container/test_image.py $(ARGS)
