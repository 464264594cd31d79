# The commands of the README. Each does its own set-up, asks nothing, and says what it is doing.
.PHONY: demo duty stop build test test-unit test-faults test-full lint bench images image

# Plays a business day with five shops on real servers of its own, and leaves them running until `make stop`.
demo:
	@infra/demo/run.sh .stack

# Breaks one of the demo's shops and mends it again, with what the person on duty types (docs/operations.md).
duty:
	@infra/demo/duty.sh .stack

stop:
	@infra/demo/stop.sh .stack

build:
	@infra/install.sh build
	@swift build

# Unit, contract, integration and end-to-end tests against a private stack, which it stops at the end.
test:
	@infra/test.sh

# Only what needs no server.
test-unit:
	@infra/test.sh --unit

# Kills services at their weakest moments, over many seeds (SEEDS=20).
test-faults:
	@infra/test.sh --faults

# Everything, with what takes long.
test-full: lint test test-faults image

lint:
	@swift format lint --strict --recursive Package.swift Services Shared Tests infra

# The figures: ours, a C ceiling and a peer in one run. ONLY=csv runs one row.
bench:
	@infra/bench/run.sh $(if $(ONLY),--only $(ONLY))

# Draws the pictures of the documentation from what a demo left behind.
images:
	@infra/render-images.sh .stack docs/images

# Builds the container image and tries it in a private engine.
image:
	@infra/test-image.sh
