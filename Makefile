# Every verb installs what it needs first (npm ci, only when package-lock.json changed). ARGS="..." goes on to the verb.
# Node >= 20, npm and make are all that has to be there; make runs as the user, and as root where the user is root.
rekindle := node bin/rekindle.js
modules := node_modules/.package-lock.json
.PHONY: help conform conform-all conform-long self-test mutants kernels crash bench doctor clean report test test-all lint
.DEFAULT_GOAL := help

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 22

conform: $(modules) ## judge the documented promises, and write results/; in the sandbox, or CLUSTER=kind
	@$(rekindle) conform $(if $(CLUSTER),--cluster $(CLUSTER)) $(ARGS)

conform-all: $(modules) ## every scenario but the long ones: each fault, each limit in depth, bad input
	@$(rekindle) conform --all $(if $(CLUSTER),--cluster $(CLUSTER)) $(ARGS)

conform-long: $(modules) ## the scenarios that take minutes: a thousand replacements under a writer, a thousand crashes
	@$(rekindle) conform --tags @long --jobs 1 $(ARGS)

self-test: $(modules) ## judge the faulty agents, each of which has to be found out
	@node_modules/.bin/node src/self-test/main.ts $(ARGS)

mutants: $(modules) ## break the code on purpose, and see that something turns red (ARGS=--tests: without scenarios)
	@node_modules/.bin/node mutants/run.ts $(ARGS)

kernels: $(modules) ## boot other kernels, user-mode and emulated, and run doctor, a crash, comparisons and the documented set on each
	@node_modules/.bin/node kernels/run.ts $(ARGS)

crash: $(modules) ## break one mount under a pod and watch it come back
	@$(rekindle) crash $(ARGS)

bench: $(modules) ## how long each phase of a recovery takes
	@$(rekindle) bench $(ARGS)

doctor: $(modules) ## what this machine can run, with a remedy for each missing thing
	@$(rekindle) doctor $(ARGS)

clean: $(modules) ## remove what killed runs left
	@$(rekindle) clean $(ARGS)

report: $(modules) ## make the reports of the last run again
	@$(rekindle) report $(or $(ARGS),results/latest)

test: $(modules) ## the tests of the code itself
	@npm --silent test -- $(ARGS)

test-all: $(modules) ## the same, and what takes minutes: the documentation's examples, the report in a browser
	@npm --silent run test-all -- $(ARGS)

lint: $(modules) ## style, layers, types, dead code
	@npm --silent run lint

$(modules): package-lock.json
	npm ci
	@touch $@
