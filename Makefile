# Learn · Prune · Fuse: `make help` lists what there is.
PYTHON ?= python3
VENV ?= .venv
FRAMEWORK ?=
EXTRA ?=
LAB_ARGS ?=

comma := ,
empty :=
space := $(empty) $(empty)
BIN := $(VENV)/bin

ifneq ($(strip $(FRAMEWORK)),)
ifneq ($(words $(FRAMEWORK)),1)
$(error FRAMEWORK="$(FRAMEWORK)": expected pytorch or keras, or nothing for both)
endif
ifeq ($(filter $(FRAMEWORK),pytorch keras),)
$(error FRAMEWORK="$(FRAMEWORK)": expected pytorch or keras, or nothing for both)
endif
export COURSE_FRAMEWORK := $(FRAMEWORK)
endif

# One empty stamp file for each complete set-up. Its name says what was installed, so a change makes another name.
WANTED := $(or $(strip $(FRAMEWORK)),all)
DEV := dev $(if $(filter keras,$(WANTED)),,oracle)
EXTRAS := $(subst $(space),$(comma),$(strip $(WANTED) $(DEV) $(subst $(comma),$(space),$(EXTRA))))
KEY := $(shell cat pyproject.toml requirements.txt | cksum | cut -d ' ' -f 1)
STAMP := $(VENV)/.complete-$(KEY)-$(EXTRAS)
BASE := $(VENV)/.complete-$(KEY)-$(WANTED)$(comma)dev
FULL := $(VENV)/.complete-$(KEY)-$(subst $(space),$(comma),$(strip $(WANTED) $(DEV)))
UNFINISHED := $(VENV)/.unfinished

export JUPYTER_PLATFORM_DIRS := 1
export PYDEVD_DISABLE_FILE_VALIDATION := 1
export TF_CPP_MIN_LOG_LEVEL ?= 3
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help lab test claims bench study results site panels lint notebooks assignments install clean

help:
	@echo 'Learn · Prune · Fuse'
	@echo
	@echo '  make lab        install what is needed into $(VENV), and open JupyterLab on notebook 00'
	@echo '  make test       install what is needed, and run the tests, but the slow ones, and every notebook'
	@echo '  make claims     execute the lessons with other seeds and numerics, and print how far each claim is from failing (hours; SEEDS=10, NOTEBOOK="01_dqn 02_pruning": only those; it goes on where it was stopped)'
	@echo '  make bench      measure DQN beside Stable-Baselines3, SBX and rejax, pruning on MNIST, ensembles, GANs, fusion, recommendation, tuning, grading, and print it (TOPIC=dqn, pruning, ensembling, gan, fusion, recommendation, tuning, classroom: only one)'
	@echo '  make study      measure the same and store it in data/studies (hours; NAME=dqn_acrobot: only that one; $(BIN)/python benchmarks/study.py lists all)'
	@echo '  make results    write docs/results.md from the stored studies'
	@echo '  make site       build the web edition into docs/_build/html (no notebook is executed)'
	@echo '  make panels     draw the pictures of the panels for the web edition anew (NOTEBOOK=01_dqn: only that one)'
	@echo '  make notebooks  execute the notebooks anew and keep their outputs (NOTEBOOK=01_dqn: only that one)'
	@echo '  make assignments  write the classroom assignments anew from the exercises'
	@echo '  make lint       check the style of the code'
	@echo '  make install    only install'
	@echo '  make clean      remove what tests and builds left behind'
	@echo
	@echo '  FRAMEWORK=pytorch or FRAMEWORK=keras   only that framework (otherwise both)'
	@echo '  EXTRA=teacher or EXTRA=box2d           more to install: nbgrader for teachers; for LunarLander-v3'
	@echo '  PYTHON=python3.12, VENV=folder         another Python (3.11 or newer), another folder than .venv'
	@echo '  LAB_ARGS=--no-browser                  options for JupyterLab'

lab: install
	@echo 'Opening JupyterLab on notebooks/00_start_here.ipynb. Ctrl-C here, then y, ends it.'
	@trap : INT; "$(BIN)/jupyter" lab --ServerApp.root_dir="$(CURDIR)" --LabApp.news_url=None \
		--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB_ARGS) && echo 'JupyterLab has ended. The same command opens it again.'

test:
	@$(MAKE) --no-print-directory install EXTRA='teacher site $(EXTRA)'
	@[ -z "$$CI" ] || command -v chromium > /dev/null || { sudo=$$(command -v sudo); $$sudo apt-get -qq update && \
		$$sudo apt-get install -y -qq chromium; } > /dev/null 2>&1 || true
	@"$(BIN)/python" tests/run_all.py $(FRAMEWORK)

claims: install
	@"$(BIN)/python" tests/lesson_claims.py $(NOTEBOOK) --seeds $(or $(SEEDS),3) $(if $(FRAMEWORK),--frameworks $(FRAMEWORK))
	@$(if $(NOTEBOOK),,for group in light $(if $(filter pytorch,$(FRAMEWORK)),,keras); do "$(BIN)/python" -m pytest -q tests -m slow --group $$group || [ $$? = 5 ] || exit 1; done)

bench study: EXTRA := bench
bench:
	@$(MAKE) --no-print-directory install EXTRA=$(EXTRA)
	@echo 'Measuring. This takes from ten minutes to hours; close other programs.'
	@"$(BIN)/python" benchmarks/study.py --print $(if $(TOPIC),$(TOPIC:%=--topic %),all)

study:
	@$(MAKE) --no-print-directory install EXTRA=$(EXTRA)
	@"$(BIN)/python" benchmarks/study.py $(or $(NAME),all)

results: install
	@"$(BIN)/python" benchmarks/results.py
	@echo 'Written: docs/results.md'

site panels: EXTRA := site
site:
	@$(MAKE) --no-print-directory install EXTRA=$(EXTRA)
	@"$(BIN)/python" docs/site/build.py && echo 'Built: docs/_build/html/index.html'

panels:
	@$(MAKE) --no-print-directory install EXTRA=$(EXTRA)
	@"$(BIN)/python" docs/site/panels.py $(NOTEBOOK)

lint: install
	@"$(BIN)/ruff" check .
	@echo 'Style checked: nothing to mend.'

notebooks: FRAMEWORK := $(or $(FRAMEWORK),pytorch)
notebooks: install
	@COURSE_FRAMEWORK=$(FRAMEWORK) "$(BIN)/python" tests/execute_notebooks.py $(NOTEBOOK)

assignments: install
	@"$(BIN)/python" -m course_lib.classroom assignments notebooks/assignments

# A set-up of both frameworks serves for one of them as well.
install:
	@if [ ! -e "$(UNFINISHED)" ] && { [ -e "$(STAMP)" ] || [ -e "$(subst -$(WANTED)$(comma),-all$(comma),$(STAMP))" ]; }; then \
		echo 'Set-up: $(VENV) is complete ($(EXTRAS)); nothing to install.'; \
	else \
		$(MAKE) --no-print-directory $(VENV)/.install; \
	fi

.PHONY: $(VENV)/.install
$(VENV)/.install:
	@command -v "$(PYTHON)" > /dev/null || { echo 'Python was not found under the name "$(PYTHON)". Install Python 3.11 or newer, or name it: make PYTHON=python3.12'; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or newer is needed, but "$(PYTHON)" is' "$$("$(PYTHON)" --version 2>&1)."' Name another one: make PYTHON=python3.12'; exit 1; }
	@[ '$(WANTED)' = pytorch ] || "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info >= (3, 14))' || { echo 'The tested TensorFlow is there for Python 3.11 to 3.13, but "$(PYTHON)" is' "$$("$(PYTHON)" --version 2>&1)."' Name another one (make PYTHON=python3.13) or take only PyTorch (FRAMEWORK=pytorch).'; exit 1; }
	@if [ -e "$(UNFINISHED)" ] || ! "$(BIN)/python" -m pip --version > /dev/null 2>&1; then \
		echo 'Set-up: making the environment $(VENV)'; \
		if [ -e "$(VENV)/pyvenv.cfg" ]; then clear=--clear; else clear=; fi; \
		"$(PYTHON)" -m venv $$clear "$(VENV)"; \
	fi
	@touch "$(UNFINISHED)"
	@for old in "$(VENV)"/.complete-*; do case "$$old" in *.complete-$(KEY)-*) ;; *) rm -f "$$old" ;; esac; done
	@echo 'Set-up: installing the tested versions ($(EXTRAS)) into $(VENV). The first time this takes some minutes.'
	@trap 'exit 130' INT TERM; \
	"$(BIN)/python" -m pip install --quiet -c requirements.txt -e '.[$(EXTRAS)]' || { \
		rm -f "$(UNFINISHED)"; echo 'Set-up failed; the reason stands above. Mend it and run the same command again.'; exit 1; }
	@mkdir -p "$(VENV)/share/jupyter/lab/settings" && echo '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}' \
		> "$(VENV)/share/jupyter/lab/settings/overrides.json"  # else JupyterLab first asks whether to fetch news
	@touch "$(STAMP)" "$(BASE)" "$(FULL)"
	@rm "$(UNFINISHED)"
	@echo 'Set-up complete: $(VENV).'

clean:
	@rm -rf build dist *.egg-info .pytest_cache .ruff_cache docs/_build
	@find course_lib tests benchmarks notebooks docs -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf
	@echo 'Removed what tests and builds left behind. To remove the installed packages too: rm -rf $(VENV)'
