# Sojourn's commands. CMake does the building; what is here installs, calls it, and runs what it built.

# What `make run` starts, and `make bench`, once built.
RUN_COMMAND   = tests/support/demo build/release/sojourn
BENCH_COMMAND = build/release/sojourn bench

JOBS ?= $(shell nproc)

# The sanitizers of g++ 12 do not start where the kernel spreads addresses widely (mmap_rnd_bits 32).
# Containers may forbid turning that off, and then it is left alone.
FIXED_ADDRESSES := $(shell setarch -R true 2>/dev/null && echo setarch -R)

.PHONY: help packages build run test tsan faults bench check format clean
.DEFAULT_GOAL := help

help:
	@echo 'make run      build, and run the demo: real shop traffic, journeys, triggers'
	@echo 'make test     build with sanitizers (address, undefined behaviour), and run every test'
	@echo 'make build    build/release/sojourn'
	@echo 'make tsan     as test, with the thread sanitizer, which CAF is built with as well'
	@echo 'make faults   the fault tests in a build for speed; FAULTS="--cycles 1000" for longer'
	@echo 'make bench    build, and measure'
	@echo 'make check    formatting and layering alone; with TIDY=1 clang-tidy as well'
	@echo 'make format   rewrite the sources as the check of the formatting wants them'
	@echo 'make clean    remove what was built'
	@echo
	@echo 'Whatever is missing is installed from Debian packages first: .ci/packages lists them.'

packages:
	@.ci/packages

build: packages
	cmake --preset release
	cmake --build --preset release --parallel $(JOBS)

run: build
	$(RUN_COMMAND)

bench: build
	$(BENCH_COMMAND)

test: packages
	cmake --preset asan
	$(FIXED_ADDRESSES) cmake --build --preset asan --parallel $(JOBS)
	$(FIXED_ADDRESSES) ctest --preset asan --parallel $(JOBS)

tsan: packages
	.ci/caf-for-tsan build/caf-tsan
	cmake --preset tsan -DCAF_CORE_LIBRARY=$(CURDIR)/build/caf-tsan/libcaf_core.so
	$(FIXED_ADDRESSES) cmake --build --preset tsan --parallel $(JOBS)
	$(FIXED_ADDRESSES) ctest --preset tsan --parallel $(JOBS)

faults: packages
	cmake --preset faults
	cmake --build --preset faults --parallel $(JOBS)
	build/faults/faults $(FAULTS)

check: packages
	cmake --preset asan
	$(FIXED_ADDRESSES) cmake --build --preset asan --parallel $(JOBS) --target layering_tests
	$(FIXED_ADDRESSES) ctest --preset asan --tests-regex '^(format|layering_tests:.*)$$'
	$(if $(TIDY),.ci/tidy)

format: packages
	.ci/format --rewrite

clean:
	rm -rf build
