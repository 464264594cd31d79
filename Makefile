# The commands of the README. Each does its own set-up, asks nothing, and says what it is doing.
.PHONY: demo duty stop build test test-unit test-faults test-brokers fuzz test-full lint bench images image deployment containers

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

# What depends on the broker, and some faults, on RabbitMQ 4 of Debian 13, which is unpacked beside the system.
test-brokers:
	@infra/test.sh --brokers

# Many spoilt texts for every parser of what comes from outside (CASES=5000 of each, SEED=1).
fuzz:
	@infra/install.sh build test
	@STOCKBRIDGE_FUZZ_CASES=$(or $(CASES),5000) STOCKBRIDGE_TEST_SEED=$(or $(SEED),1) swift test --filter FuzzTests

# Everything, with what takes long.
test-full: lint test test-faults test-brokers fuzz image deployment containers

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

# Sets the deployment of compose.yaml up, with everything wrong that can be and then right, and scales it.
deployment:
	@infra/test-deployment.sh

# Plays the demo's day in containers while replicas and the broker are killed, services scaled and upgraded (SKUS=6000).
containers:
	@infra/test-containers.sh
