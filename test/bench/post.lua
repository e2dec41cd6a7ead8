-- Posts the body of the file that BODY names. With VARY=1 each request has another literal in it:
-- the text @N@ becomes a number that has not been sent before.
local file = assert(io.open(os.getenv("BODY"), "r"))
local body = file:read("*a")
file:close()
local vary = os.getenv("VARY") == "1"
local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer demo-bench" }
local n, first = 0, nil
-- Each of wrk's threads gets numbers of its own, and each run others than the run before.
local start = os.time() % 100000 * 10000000
local threads = 0
function setup(thread)
    threads = threads + 1
    thread:set("base", start + threads * 1000000)
end
function request()
    if not vary then
        first = first or wrk.format("POST", "/mcp", headers, body)
        return first
    end
    n = n + 1
    return wrk.format("POST", "/mcp", headers, (body:gsub("@N@", tostring(base + n))))
end
