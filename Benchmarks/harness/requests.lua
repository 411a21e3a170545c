-- wrk's side of a run: about 1 KB of request, each with a bearer token of the file named after `--`,
-- where a mean pause between the requests of a connection follows, and "close" or "keep": whether each request is the
-- last one of its connection.
-- With one token no `request` function is defined, which keeps wrk on its static path; with several,
-- the requests are laid out beforehand and taken in turn, so the load side pays one table look-up.

local headers = {
   ["Host"] = "api.example.com",
   ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
   ["Accept"] = "application/json",
   ["Accept-Language"] = "en-GB,en;q=0.9",
   ["Accept-Encoding"] = "gzip, deflate, br",
}

function init(args)
   wrk.headers = headers
   if args[3] == "close" then
      headers["Connection"] = "close"
   end
   local prepared = {}
   for token in io.lines(args[1]) do
      headers["Authorization"] = "Bearer " .. token
      prepared[#prepared + 1] = wrk.format()
   end
   local pause = tonumber(args[2])
   if pause > 0 then
      -- Milliseconds. Not the same each time: all connections would go on in step.
      delay = function()
         return math.random(0, 2 * pause)
      end
   end
   if #prepared > 1 then
      local turn = 0
      request = function()
         turn = turn % #prepared + 1
         return prepared[turn]
      end
   end
end

-- One line that load.py reads; latencies and the duration are in microseconds.
function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      'RESULT {"requests":%d,"bytes":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"p999_us":%d,'
         .. '"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\n',
      summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
      latency:percentile(99.9),
      errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
