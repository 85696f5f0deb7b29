# The few words a newcomer types. Everything is done by scripts under build/ and by osctl; `make help` lists the words.
SHELL := /bin/bash
NODES ?= 1
PROVISIONER ?= qemu
.DEFAULT_GOAL := help
.PHONY: help up down logs test check bench image clean

help:  ## Print this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

up:  ## Build what is missing and start a cluster (NODES=2, PROVISIONER=qemu|process)
	@build/up.sh $(PROVISIONER) $(NODES)

down:  ## Stop the cluster and remove it
	@build/down.sh

logs:  ## Show the consoles of the cluster's nodes
	@build/logs.sh

image:  ## Build and gate the image without booting it
	@build/image.sh

test:  ## All tests; the last line counts them
	@build/test.sh

check:  ## Formatting, analyzers and the project's own rules
	@build/check.sh

bench:  ## Print the measured figures of docs/design
	@build/bench.sh

clean:  ## Remove build output of this clone (the cache under ~/.cache/talos stays)
	@rm -rf artifacts out
