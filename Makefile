# Every verb first installs the packages that it needs if there are none, or if package-lock.json has changed. ARGS="..." goes on to
# the verb. Only Node 20.19 or later, npm and make must be there.
rekindle := node bin/rekindle.js
modules := node_modules/.package-lock.json
# Tests and lint need packages that nothing else does.
development := node_modules/vitest
install := PATH='$(subst ','\'',$(PATH))' node packaging/install.js
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
.PHONY: help conform conform-all conform-long self-test mutants kernels arm64 places crash bench doctor clean report test test-all lint
.DEFAULT_GOAL := help
.NOTPARALLEL:

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 22

conform: $(modules) ## judge the documented promises, and write results/; in the sandbox, or CLUSTER=kind
	@$(rekindle) conform $(if $(CLUSTER),--cluster $(CLUSTER)) $(ARGS)

conform-all: $(modules) ## every scenario but the long ones: each fault, each limit in depth, bad input
	@$(rekindle) conform --all $(if $(CLUSTER),--cluster $(CLUSTER)) $(ARGS)

conform-long: $(modules) ## the scenarios that take minutes: a thousand replacements under a writer, a thousand crashes
	@$(rekindle) conform --tags @long --jobs 1 $(ARGS)

self-test: $(modules) ## judge the faulty agents, each of which has to be found out
	@node src/self-test/main.ts $(ARGS)

mutants: $(development) $(modules) ## break the code on purpose, and see that something turns red (ARGS=--tests: without scenarios)
	@node mutants/run.ts $(ARGS)

kernels: $(modules) ## boot other kernels, user-mode and emulated, and run doctor, a crash, comparisons and the documented set on each
	@node kernels/run.ts $(ARGS)

arm64: $(modules) ## doctor, a crash and three scenarios on Debian for arm64, in an emulated machine
	@node kernels/run.ts --only arm64 $(ARGS)

places: $(modules) ## install and run in places of every kind: odd paths, umask, overlayfs, noexec /tmp, proxy, other systems
	@node kernels/run-places.ts $(ARGS)

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

test: $(development) $(modules) ## the tests of the code itself
	@npm --silent test -- $(ARGS)

test-all: $(development) $(modules) ## the same, and what takes minutes: the documentation's examples, the report in a browser
	@npm --silent run test-all -- $(ARGS)

lint: $(development) $(modules) ## style, layers, types, dead code
	@npm --silent run lint

$(modules): package-lock.json
	@$(install)
	@touch $@

$(development):
	@$(install) --dev
	@touch $(modules)
