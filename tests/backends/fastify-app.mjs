// Fastify, which takes an empty segment for a parameter, and here ignores letter case and double slashes.
import Fastify from "fastify";

const app = Fastify({ routerOptions: { caseSensitive: false, ignoreDuplicateSlashes: true } });
app.get("/admin/*", () => "admin");
app.get("/settings", () => "settings");
app.get("/members", () => "members");
app.post("/items/:item", () => "changed");
app.delete("/items/:item", () => "deleted");
app.all("/*", () => "open");
app.listen({ port: Number(process.argv[2]), host: "127.0.0.1" });
