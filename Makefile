# Everything a person types; each target installs what it lacks and is fast the second time.
.PHONY: build run test conformance fuzz soak bench coverage format doc clean

build: ; @script/bootstrap build && script/build
run: build ; @exec build/weir serve --config config/demo
test: ; @script/bootstrap test && script/test
conformance: ; @script/bootstrap test && script/conformance
fuzz: ; @script/bootstrap test && script/fuzz
soak: ; @script/bootstrap test && script/soak $(HOURS)
bench: ; @script/bootstrap test && script/build && script/bench
coverage: ; @script/bootstrap coverage && script/coverage
format: ; @script/bootstrap test && script/format --fix
doc: build ; @script/doc
clean: ; rm -rf build build-*
