# One command to the first dataset: make demo. One to see that everything holds: make test.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench bench-scale bench-gpu spread train-env test-train extension test-blender clean

# uv is used where present, and otherwise put into a folder of its own, .uv
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
export UV_PROJECT_ENVIRONMENT := .venv
READY := .venv/.digidouble-ready
RUN := .venv/bin/python -m farm.cli
# Training has an environment of its own, on another Python than bpy's: torch's build for it is the smaller one.
TRAIN_PYTHON := 3.11
TRAIN_READY := .venv-train/.digidouble-ready

# Files of tests run side by side in so many processes, each with a Blender of its own (about 2 GB)
TESTERS ?= 2

help: ## list the targets
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk -F ':.*?## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.uv/bin/uv:
	python3 -m venv .uv
	.uv/bin/pip install --quiet --disable-pip-version-check uv

$(READY): pyproject.toml .python-version $(if $(filter .uv/bin/uv,$(UV)),.uv/bin/uv)
	$(UV) sync --quiet --no-progress --extra render
	rm -f uv.lock
	@touch $@

setup: $(READY) ## make the environment in .venv (demo and test do it by themselves)

demo: $(READY) ## render the six pairs of templates/recipes/demo.yaml into out/demo
	$(RUN) render templates/recipes/demo.yaml --out out/demo

test: lint ## lint, then every test that needs no window and no training
	DIGIDOUBLE_REQUIRE_RENDERER=1 .venv/bin/python -m pytest -n $(TESTERS) --dist loadfile

lint: $(READY) ## ruff and mypy
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

bench: $(READY) $(TRAIN_READY) ## where the time goes, as ratios within one run
	.venv/bin/python tests/bench/bench.py
	.venv-train/bin/python tests/bench/loader_bench.py

bench-gpu: $(READY) ## on a machine with a GPU: pairs an hour, OptiX against CUDA, GPU against CPU
	.venv/bin/python tests/bench/gpu_bench.py

bench-scale: $(READY) ## the driver with 100,000 simulated tasks over 64 workers; ten minutes, 8 GB
	.venv/bin/python tests/bench/scale_bench.py

spread: $(READY) ## comb a thousand grooms, plot how they differ into docs/images/hair-spread.png; half an hour
	.venv/bin/python tests/bench/spread.py

$(TRAIN_READY): pyproject.toml $(if $(filter .uv/bin/uv,$(UV)),.uv/bin/uv)
	$(UV) python find --quiet --no-project $(TRAIN_PYTHON) >/dev/null || $(UV) python install $(TRAIN_PYTHON)
	"$$($(UV) python find --no-project $(TRAIN_PYTHON))" -m venv --clear .venv-train
	.venv-train/bin/pip install --quiet --disable-pip-version-check 'pip>=25.1'
	.venv-train/bin/pip install --quiet --disable-pip-version-check --group train-test --editable '.[train]'
	@touch $@

train-env: $(TRAIN_READY) ## make the environment for training in .venv-train

test-train: $(READY) $(TRAIN_READY) ## train on a tiny dataset that it renders; test loaders, model and evaluation
	.venv-train/bin/python -m pytest tests/learn

# Its version stands in blender_manifest.toml
EXTENSION = dist/digidouble-$(shell sed -n 's/^version = "\(.*\)"/\1/p' blender_manifest.toml)-system.zip
# What starts a Blender with a window, on the screen that there is; tests/blender/screen.sh brings both, on Debian
BLENDER ?= blender

extension: $(READY) ## build the Blender extension for each platform into dist/
	.venv/bin/python addon/build_extension.py

test-blender: $(READY) ## click through the add-on in a Blender with a window; BLENDER=COMMAND starts one
	.venv/bin/python addon/build_extension.py system
	.venv/bin/python tests/blender/run.py $(EXTENSION) out/test-blender $(BLENDER)

clean: ## remove what was made, but not the datasets in out/
	rm -rf .venv .venv-train .uv dist .pytest_cache .ruff_cache .mypy_cache
