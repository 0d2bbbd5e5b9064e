//! The OpenAPI document: what the handlers say of themselves, with what is the same for all of them added.

use super::v1;
use model::Problem;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use utoipa::OpenApi;

/// Where the API begins.
pub const BASE: &str = "/api/v1";
/// A handler names it where a token with any scope, or none, is good enough.
const ANY_SCOPE: &str = "any";
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

#[derive(OpenApi)]
#[openapi(components(schemas(Problem)))]
struct Common;

static DOCUMENT: LazyLock<Value> = LazyLock::new(build);
static TEXT: LazyLock<String> = LazyLock::new(|| format!("{:#}", *DOCUMENT));

/// The document.
pub fn value() -> &'static Value {
    &DOCUMENT
}

/// The document as JSON that people can read too.
pub fn text() -> &'static str {
    &TEXT
}

fn build() -> Value {
    let mut api = Common::openapi();
    api.merge(v1::routes().into_openapi());
    let mut document = serde_json::to_value(api).unwrap_or_default();
    let paths = document["paths"].as_object().cloned().unwrap_or_default();
    let mut placed = Map::new();
    for (path, mut item) in paths {
        for method in METHODS {
            if let Some(operation) = item.get_mut(method) {
                complete(&path, operation);
            }
        }
        placed.insert(format!("{BASE}{path}"), item);
    }
    document["paths"] = Value::Object(placed);
    document["info"] = json!({
        "title": "WebMeteor",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Everything that the dashboard does, for programs. Times are RFC 3339 in UTC, ids are UUIDs. Lists \
            answer `{items, next_cursor}`. Errors are problems (RFC 9457) with a stable `code`.",
        "license": {"name": "MIT OR Apache-2.0"},
    });
    document["components"]["securitySchemes"] = json!({
        "access_token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "Of a sign-in (`POST /api/v1/auth/token`): all that the account may do.",
        },
        "api_token": {
            "type": "http",
            "scheme": "bearer",
            "description": "Made in the dashboard or with `POST /api/v1/tokens`: what its scopes and its site allow.",
        },
    });
    document
}

/// Adds to an operation the parameters of its path, who may call it, and the problems that it shares with others.
fn complete(path: &str, operation: &mut Value) {
    let access = access(operation);
    let has_path = add_path_parameters(path, operation);
    let has_body = operation.get("requestBody").is_some();
    let has_query = operation["parameters"].as_array().is_some_and(|list| list.iter().any(|it| it["in"] == "query"));
    if let Some(responses) = operation["responses"].as_object_mut() {
        let mut add = |status: u16, codes: &[&str]| add_codes(responses, status, codes);
        add(429, &["too_many_requests"]);
        add(500, &["internal"]);
        add(503, &["database_unavailable"]);
        match access {
            Access::Open => {}
            Access::InPerson => {
                add(401, &["unauthenticated", "invalid_token"]);
                add(403, &["token_not_allowed"]);
            }
            Access::Token { scoped } => {
                add(401, &["unauthenticated", "invalid_token"]);
                if scoped {
                    add(403, &["insufficient_scope"]);
                }
            }
        }
        if has_path {
            add(404, &["not_found"]);
        }
        if has_body {
            add(400, &["bad_json", "unreadable"]);
            add(413, &["too_large"]);
            add(415, &["unsupported_media_type"]);
            add(422, &["invalid_input"]);
        }
        if has_query {
            add(400, &["bad_request"]);
            add(422, &["invalid_input"]);
        }
        for (status, response) in responses {
            describe(status, response);
        }
    }
}

/// Who may call an operation.
enum Access {
    /// Everybody.
    Open,
    /// Whoever signed in.
    InPerson,
    /// API tokens too.
    Token { scoped: bool },
}

/// Reads what the handler said of tokens, and says it whole.
fn access(operation: &mut Value) -> Access {
    let declared = operation["security"].take();
    let first = declared.get(0);
    if first.is_some_and(|it| it.as_object().is_some_and(Map::is_empty)) {
        operation["security"] = json!([]);
        return Access::Open;
    }
    let Some(scopes) = first.and_then(|it| it["api_token"].as_array()) else {
        operation["security"] = json!([{"access_token": []}]);
        return Access::InPerson;
    };
    let scopes: Vec<&Value> = scopes.iter().filter(|scope| *scope != ANY_SCOPE).collect();
    operation["security"] = json!([{"access_token": []}, {"api_token": scopes}]);
    Access::Token { scoped: !scopes.is_empty() }
}

/// What stands in braces in the path, unless the handler described it; whether there is any.
fn add_path_parameters(path: &str, operation: &mut Value) -> bool {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut list = operation["parameters"].as_array().cloned().unwrap_or_default();
    let mut has_any = false;
    for (at, name) in names.enumerate() {
        has_any = true;
        if list.iter().any(|it| it["in"] == "path" && it["name"] == name) {
            continue;
        }
        let schema = match name {
            "number" => json!({"type": "integer", "format": "int64"}),
            name if name == "id" || name.ends_with("_id") => json!({"type": "string", "format": "uuid"}),
            _ => json!({"type": "string"}),
        };
        list.insert(at, json!({"name": name, "in": "path", "required": true, "schema": schema}));
    }
    if !list.is_empty() {
        operation["parameters"] = Value::Array(list);
    }
    has_any
}

fn add_codes(responses: &mut Map<String, Value>, status: u16, codes: &[&str]) {
    let response = responses.entry(status.to_string()).or_insert_with(|| json!({"description": ""}));
    let mut words = response["description"].as_str().unwrap_or_default().to_owned();
    for code in codes {
        let quoted = format!("`{code}`");
        if !words.contains(&quoted) {
            format!("{words} {quoted}").trim().clone_into(&mut words);
        }
    }
    response["description"] = Value::String(words);
}

/// A problem's codes, which the handler wrote between backticks, become a list, and its body a problem.
fn describe(status: &str, response: &mut Value) {
    let status: u16 = status.parse().unwrap_or_default();
    if status < 400 {
        if response["description"].as_str().is_none_or(str::is_empty) {
            response["description"] = json!(success(status));
        }
        return;
    }
    let words = response["description"].as_str().unwrap_or_default();
    let codes: Vec<String> = words.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    response["description"] = json!(format!("{}: {}", Problem::new(status, "", "").title, codes.join(", ")));
    response["x-codes"] = json!(codes);
    response["content"] = json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
    if matches!(status, 429 | 503) {
        let seconds = json!({"description": "Seconds to wait.", "schema": {"type": "integer"}});
        response["headers"] = json!({"Retry-After": seconds});
    }
}

fn success(status: u16) -> &'static str {
    match status {
        201 => "Made.",
        202 => "Taken; it is carried out from now on.",
        204 => "Done.",
        _ => "As asked.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations() -> Vec<(String, &'static Value)> {
        let paths = value()["paths"].as_object().unwrap();
        let named = |path: &String, method: &String| format!("{} {path}", method.to_uppercase());
        let all = paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, it)| (named(path, method), it))
        });
        all.collect()
    }

    #[test]
    fn every_operation_says_what_it_does_who_may_and_what_goes_wrong() {
        assert_eq!(value()["openapi"], "3.1.0");
        assert!(operations().len() > 40);
        let mut ids = Vec::new();
        for (name, it) in operations() {
            assert!(it["summary"].as_str().is_some_and(|words| words.ends_with('.')), "{name}: no summary");
            assert!(it["security"].is_array(), "{name}: not said who may");
            ids.push(it["operationId"].as_str().unwrap());
            for (status, response) in it["responses"].as_object().unwrap() {
                let codes = response["x-codes"].as_array();
                assert!(status.as_str() < "400" || codes.is_some_and(|list| !list.is_empty()), "{name}: {status}");
                assert!(!response["description"].as_str().unwrap().is_empty(), "{name}: {status}");
            }
            for scope in it["security"][1]["api_token"].as_array().into_iter().flatten() {
                assert!(model::Scope::from_word(scope.as_str().unwrap()).is_some(), "{name}: {scope}");
            }
        }
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "two operations have one name");
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_parameter_of_a_path_is_described() {
        let text = text();
        for part in text.split("\"#/").skip(1) {
            let (path, _) = part.split_once('"').unwrap();
            assert!(value().pointer(&format!("/{path}")).is_some(), "{path}");
        }
        for (name, it) in operations() {
            for part in name.split('{').skip(1) {
                let (parameter, _) = part.split_once('}').unwrap();
                let list = it["parameters"].as_array().unwrap();
                assert!(list.iter().any(|it| it["in"] == "path" && it["name"] == parameter), "{name}: {parameter}");
            }
        }
    }
}
