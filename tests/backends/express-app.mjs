// Express, which ignores letter case, with method-override by header, query and form.
import express from "express";
import methodOverride from "method-override";

const app = express();
app.use(express.urlencoded({ extended: true }));
app.use(methodOverride("X-HTTP-Method-Override"));
app.use(methodOverride("_method"));
app.use(methodOverride((request) => request.body?._method));
app.get("/admin/*rest", (_, response) => response.send("admin"));
app.get("/settings", (_, response) => response.send("settings"));
app.get("/members", (_, response) => response.send("members"));
app.post("/items/:item", (_, response) => response.send("changed"));
app.delete("/items/:item", (_, response) => response.send("deleted"));
app.use((_, response) => response.send("open"));
app.listen(Number(process.argv[2]), "127.0.0.1");
