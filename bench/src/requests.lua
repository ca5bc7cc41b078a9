-- For wrk: the requests are written once, then sent one after the other and again from the first.
-- Arguments: a file with a value of Authorization per line (an empty line: none), and the host.
local requests, count, at = {}, 0, 0

function init(args)
  for line in io.lines(args[1]) do
    local headers = { Host = args[2] }
    if line ~= "" then headers["Authorization"] = line end
    count = count + 1
    requests[count] = wrk.format("GET", nil, headers)
  end
end

function request()
  at = at % count + 1
  return requests[at]
end

function done(summary)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"refused":%d,"broken":%d}\n',
    summary.requests, e.status, e.connect + e.read + e.write + e.timeout))
end
