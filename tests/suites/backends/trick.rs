//! Requests by which a caller could reach a closed page under another name.

/// A request, and the reading of docs/rules.md that covers it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trick {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) header: Option<(&'static str, &'static str)>,
    pub(crate) form: Option<&'static str>,
    /// The reading, or the rule, by which Vigile sees through it.
    pub(crate) seen_by: &'static str,
}

impl Trick {
    pub(crate) const fn get(path: &'static str, seen_by: &'static str) -> Self {
        Self { method: "GET", path, header: None, form: None, seen_by }
    }

    const fn with(path: &'static str, name: &'static str, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..Self::get(path, "overrides (rule 3)") }
    }

    const fn post(path: &'static str, seen_by: &'static str) -> Self {
        Self { method: "POST", ..Self::get(path, seen_by) }
    }

    /// The request in one line.
    pub(crate) fn shown(&self) -> String {
        let header = self.header.map(|(name, value)| format!(" with {name}: {value}"));
        let form = self.form.map(|form| format!(" with the form {form}"));
        format!(
            "{} {}{}{}",
            self.method,
            self.path,
            header.unwrap_or_default(),
            form.unwrap_or_default()
        )
    }

    /// The request as bytes, with further headers.
    pub(crate) fn bytes(&self, more: &[(&str, &str)]) -> Vec<u8> {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: app.example.org\r\nConnection: close\r\n",
            self.method, self.path
        );
        for (name, value) in self.header.iter().chain(more) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = self.form.unwrap_or_default();
        if self.method == "POST" {
            text.push_str(&format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                body.len()
            ));
        }
        format!("{text}\r\n{body}").into_bytes()
    }
}

const AS_IT_STANDS: &str = "the path as it stands";

pub(crate) const ALL: [Trick; 42] = [
    Trick::get("/admin/users", AS_IT_STANDS),
    Trick::get("/settings", AS_IT_STANDS),
    Trick::get("/members", AS_IT_STANDS),
    Trick::get("/settings/", "with and without a final slash"),
    Trick::get("/SETTINGS", "case folded"),
    Trick::get("/ADMIN/users", "case folded"),
    Trick::get("/sett%C4%B1ngs", "letters that fold into ASCII (ı)"),
    Trick::get("/sett%C4%B0ngs", "letters that fold into ASCII (İ)"),
    Trick::get("/setting%C5%BF", "letters that fold into ASCII (ſ)"),
    Trick::get("/%61dmin/users", "percent-decoded once"),
    Trick::get("/%2561dmin/users", "percent-decoded twice"),
    Trick::get("/admin%2Fusers", "percent-decoded once"),
    Trick::get("/%u0061dmin/users", "%u0061"),
    Trick::get("/adm%FFin/users", "bytes that are no UTF-8 left out"),
    Trick::get("/%80admin/users", "bytes that are no UTF-8 left out"),
    Trick::get("/admin%C3/users", "bytes that are no UTF-8 left out"),
    Trick::get("/%C1%A1dmin/users", "overlong UTF-8"),
    Trick::get("/x/..%C0%AFadmin/users", "overlong UTF-8"),
    Trick::get("//admin/users", "slashes merged"),
    Trick::get("/x//../admin/users", "dot segments removed"),
    Trick::get("/./admin/users", "dot segments removed"),
    Trick::get("/x/../admin/users", "dot segments removed"),
    Trick::get("/x/%2E%2E/admin/users", "percent-decoded, dot segments removed"),
    Trick::get("/x%2F..%2Fadmin/users", "percent-decoded, dot segments removed"),
    Trick::get("//x/admin/users", "a host taken for one (new URL)"),
    Trick::get("/\\admin/users", "backslashes turned"),
    Trick::get("/x/..%5Cadmin/users", "percent-decoded, backslashes turned"),
    Trick::get("/settings;a=b", "; parameters cut"),
    Trick::get("/x/..;/admin/users", "; parameters cut, dot segments removed"),
    Trick::get("/settings%3Fx", "cut at an escaped ?"),
    Trick::get("/settings%0A", "control characters are refused"),
    Trick::get("/settings%20", "spaces at a segment's end cut"),
    Trick::get("/settings.", "dots at a segment's end cut"),
    Trick::get("/members.json", "a route of the policy: /members**"),
    Trick::get("/index.php/admin/users", "a route of the policy: /index.php/**"),
    Trick::get("/sd/admin/users", "a route of the policy: /sd/admin/**"),
    Trick::with("/x/admin/users", "X-Script-Name", "/x"),
    Trick::with("/x/admin/users", "X-Forwarded-Prefix", "/x"),
    Trick { method: "POST", ..Trick::with("/items/7", "X-HTTP-Method-Override", "DELETE") },
    Trick::post("/items/7?_method=DELETE", "a method in the query (rule 3)"),
    Trick::post("/items/7?_method=delete", "a method in the query (rule 3)"),
    Trick {
        form: Some("_method=DELETE"),
        ..Trick::post("/items/7", "a route of the policy: body without forms")
    },
];
