# Phare : `make` seul explique tout.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help env run data test check lab apps audit figure status codes key form datex deps bench grade lock register register-check register-snapshot browser sshd postgres mosquitto nginx \
        new-city new-source new-theme new-notebook remove-notebook

CITY ?= marseille
NAME ?=
FILE ?=
COLUMNS ?=
TO ?=
ADD ?=
YES ?= 0
UPTO ?=
FIELD ?=
NAME_COLUMN ?=
SOURCE ?=
GROUP ?= yesterday
ROOM ?= 1
ROOMS ?=
FORCE ?= 0
FROM ?=
APPS ?= 1
JSON ?= 0
PORT ?= 8866
JOBS ?=
SIZE ?= small
BENCH ?= $(filter-out __init__,$(basename $(notdir $(wildcard benchmarks/*.py))))
HOST_PYTHON ?= python3

# conda : environment.yml pose PHARE_ENV=active, et l'environnement actif sert tel quel.
ifeq ($(PHARE_ENV),active)
  BIN := $(dir $(shell command -v python))
  READY := .phare-env
else
  BIN := .venv/bin/
  READY := .venv/.ready
endif
PYTHON := $(BIN)python
export PATH := $(abspath $(BIN)):$(PATH)
# Sans ce que Python compile et garde, chaque commande recompile tout : 5,1 s d'imports au lieu de 2,3.
unexport PYTHONDONTWRITEBYTECODE
ifneq ($(FROM),)
  export PHARE_FROM := $(FROM)
endif
ifneq ($(JOBS),)
  export PHARE_JOBS := $(JOBS)
endif

help:           ## montrer cette aide
	@echo "Phare, atelier de la tranquillité publique"
	@echo
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'
	@echo
	@echo "  CITY=nom ou dossier (marseille)   FROM=dossier des fichiers reçus   NAME=figure   APPS=0   JOBS=étapes à la fois"

env: $(READY)   ## installer l'environnement verrouillé (fait tout seul par les autres commandes)

.venv/.ready: requirements.lock pyproject.toml
	@scripts/install "$(HOST_PYTHON)"
	@touch $@

.phare-env: requirements.lock pyproject.toml
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(READY)   ## tout calculer pour une ville, puis ouvrir les applications (APPS=0 : sans)
	@$(PYTHON) -m helpers.workshop.run_city "$(CITY)"
ifneq ($(APPS),0)
	@$(MAKE) --no-print-directory apps
endif

data: $(READY)  ## faire entrer les fichiers d'une ville (FROM=dossier, sinon l'adresse de l'éditeur)
	@PHARE_FETCH=1 $(PYTHON) -m helpers.workshop.run_city "$(CITY)" --only collect

apps: $(READY)  ## ouvrir les applications des décideurs, sur cette machine seulement
	@PHARE_CITY="$(CITY)" $(PYTHON) -m helpers.workshop.serve_apps --port "$(PORT)"

lab: $(READY)   ## ouvrir JupyterLab sur l'atelier
	@PHARE_CITY="$(CITY)" $(PYTHON) -m helpers.workshop.serve_lab $(if $(filter-out file,$(origin PORT)),--port "$(PORT)")

audit: $(READY) ## tout refaire ailleurs depuis les données brutes, et comparer octet par octet
	@$(PYTHON) -m helpers.workshop.audit $(if $(filter command line,$(origin CITY)),"$(CITY)")

figure: $(READY) ## refaire une figure (NAME=nom ou passeport) et dire si elle est identique
	@test -n "$(NAME)" || { echo "Erreur : donner NAME=nom ou passeport d'une figure"; exit 2; }
	@$(PYTHON) -m helpers.workshop.refigure "$(NAME)" $(if $(filter command line,$(origin CITY)),--city "$(CITY)")

new-city: $(READY) ## une ville d'après le modèle, prête à tourner (NAME=nom)
	@test -n "$(NAME)" || { echo "Erreur : donner NAME=nom de la ville"; exit 2; }
	@$(PYTHON) -m helpers.workshop.new city "$(NAME)"

new-source: $(READY) ## une source de plus (NAME=nom CITY=ville, FILE=fichier, pour une ébauche)
	@test -n "$(NAME)" || { echo "Erreur : donner NAME=nom de la source"; exit 2; }
	@$(PYTHON) -m helpers.workshop.new source "$(NAME)" --city "$(CITY)" $(if $(FILE),--file "$(FILE)" --columns "$(COLUMNS)" $(if $(filter 1,$(FORCE)),--again))

new-theme: $(READY) ## un thème de plus (NAME=nom CITY=ville SOURCE=source)
	@test -n "$(NAME)" || { echo "Erreur : donner NAME=nom du thème"; exit 2; }
	@$(PYTHON) -m helpers.workshop.new theme "$(NAME)" --city "$(CITY)" $(if $(SOURCE),--source "$(SOURCE)")

new-notebook: $(READY) ## un carnet de plus, qui tourne aussitôt (NAME=nom GROUP=yesterday, ROOM=0 : sans Python)
	@test -n "$(NAME)" || { echo "Erreur : donner NAME=nom du carnet"; exit 2; }
	@$(PYTHON) -m helpers.workshop.new_notebook add "$(NAME)" --group "$(GROUP)" $(if $(filter 0,$(ROOM)),--without-room)

remove-notebook: $(READY) ## ôter un carnet, et tout ce qui va avec (NAME=nom)
	@test -n "$(NAME)" || { echo "Erreur : donner NAME=nom du carnet"; exit 2; }
	@$(PYTHON) -m helpers.workshop.new_notebook remove "$(NAME)" $(if $(filter 1,$(FORCE)),--force)

status: $(READY) ## dire où en est une ville (JSON=1 : pour une machine)
	@$(PYTHON) -m helpers.workshop.status "$(CITY)" $(if $(filter 1,$(JSON)),--json)

codes: export PHARE_ADD := $(value ADD)
codes: $(READY) ## montrer à qui a le fichier reçu ce que le contrat n'admet pas, l'y ajouter (SOURCE=nom CITY=ville)
	@test -n "$(SOURCE)" || { echo "Erreur : donner SOURCE=nom de la source"; exit 2; }
	@$(PYTHON) -m helpers.workshop.codes "$(SOURCE)" --city "$(CITY)" --field "$(FIELD)" --name-column "$(NAME_COLUMN)" $(if $(filter 1,$(YES)),--yes)

key: $(READY)   ## dire où est la clé d'une ville, son empreinte (TO=fichier la copie, FROM=fichier la prend)
	@$(PYTHON) -m helpers.workshop.city_key "$(CITY)" --to "$(TO)" --from "$(FROM)" $(if $(filter 1,$(FORCE)),--force)

form: $(READY)  ## écrire le formulaire par lequel un partenaire annonce un événement (CITY=ville, TO=fichier)
	@$(PYTHON) -m helpers.workshop.entry_form "$(CITY)" $(if $(TO),--to "$(TO)")

datex: $(READY) ## écrire les arrêtés d'une ville en DATEX II, comme DiaLog les publie (CITY=ville, TO=fichier)
	@$(PYTHON) -m helpers.workshop.datex_export "$(CITY)" $(if $(TO),--to "$(TO)")

register: $(READY) ## montrer ce qui a été décidé, où en sont les actions (FILE=décision.json : l'inscrire)
	@$(PYTHON) -m helpers.workshop.register "$(CITY)" $(if $(FILE),--add "$(FILE)")

register-check: $(READY) ## vérifier que rien n'y manque ni n'a changé (FILE=instantané : depuis lui aussi)
	@$(PYTHON) -m helpers.workshop.register "$(CITY)" --check $(if $(FILE),--against "$(FILE)")

register-snapshot: $(READY) ## en faire une source de la ville (UPTO=numéro, TO=fichier)
	@$(PYTHON) -m helpers.workshop.register "$(CITY)" --snapshot $(if $(UPTO),--upto "$(UPTO)") $(if $(TO),--to "$(TO)")

test: $(READY) browser sshd postgres mosquitto nginx ## vérifier tout : style, types, essais
	@$(MAKE) --no-print-directory check
	@$(BIN)pytest -n 2 --dist loadscope

check: $(READY) ## style, types, carnets propres, dépendances dites
	@$(BIN)ruff check .
	@$(BIN)ruff format --check .
	@$(BIN)mypy
	@$(BIN)lint-imports --no-cache
	@$(PYTHON) -m helpers.workshop.notebooks strip --check
	@$(PYTHON) -m helpers.workshop.notebooks parameters --check
	@$(PYTHON) -m helpers.workshop.schemas --check
	@$(PYTHON) -m helpers.workshop.architecture --check
	@$(PYTHON) -m helpers.workshop.method_notes --check
	@$(PYTHON) -m helpers.workshop.grade --check

deps: $(READY)  ## écrire les réglages dans carnets et notes, les schémas publiés, le plan
	@$(PYTHON) -m helpers.workshop.notebooks parameters
	@$(PYTHON) -m helpers.workshop.schemas
	@$(PYTHON) -m helpers.workshop.architecture
	@$(PYTHON) -m helpers.workshop.method_notes

bench: $(READY) ## mesurer, en rapports faits côte à côte (SIZE=tiny, small, full ; BENCH=nom : un seul)
	@set -e; for name in $(BENCH); do echo "== $$name"; PHARE_CITY="$(CITY)" $(PYTHON) -m benchmarks.$$name --size $(SIZE); done

grade: $(READY) ## tenir les méthodes contre des vérités connues (ROOMS=trends situation:alerts, SIZE=tiny, small, full)
	@nice -n 10 $(PYTHON) -m helpers.workshop.grade --size $(SIZE) $(ROOMS)

lock:           ## refaire requirements.lock (demande uv)
	@uv pip compile pyproject.toml --extra test --extra check --extra ssh --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements.lock

# Ce qu'il faut sur la machine et que pip n'apporte pas : un navigateur, des serveurs d'essai (SSH, base, courtier).
browser:
	@scripts/need chromium chromium

sshd:
	@scripts/need sshd openssh-server

postgres:
	@scripts/need initdb postgresql

mosquitto:
	@scripts/need mosquitto mosquitto

nginx:
	@scripts/need nginx nginx
