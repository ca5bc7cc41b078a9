// Node's own server with the URL standard's parser, as many small apps have it.
import { createServer } from "node:http";

createServer((request, response) => {
  let path = "";
  try {
    path = decodeURIComponent(new URL(request.url, "http://localhost").pathname);
  } catch {
    response.statusCode = 400;
  }
  const items = { POST: "changed", DELETE: "deleted" }[request.method];
  const words = [
    [path.startsWith("/admin/"), "admin"],
    [path.toLowerCase() === "/settings", "settings"],
    [path === "/members", "members"],
    [path.startsWith("/items/") && items, items],
  ];
  response.end(words.find(([is]) => is)?.[1] ?? "open");
}).listen(Number(process.argv[2]), "127.0.0.1");
