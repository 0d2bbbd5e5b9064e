//! Bodies and paths that are wrong in every way: whatever is sent, the answer is a problem that says which field, with a
//! code that the document knows, and never a failure of the platform's own.

use super::stage::Stage;
use crate::support::client;
use reqwest::{Client, Method, Response};
use serde_json::{Map, Value, json};

/// What stands where something else should.
fn wrong_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5e300),
        json!(u64::MAX),
        json!(""),
        json!(" "),
        json!("x".repeat(10_000)),
        json!("a\u{0}b"),
        json!("\u{202e}\u{feff}\u{1f980}"),
        json!("'; drop table users; --"),
        json!("<script>alert(1)</script>"),
        json!("../../etc/passwd"),
        json!("--upload-pack=touch /tmp/x"),
        json!("a\r\nSet-Cookie: a=b"),
        json!("$(touch /tmp/x) `id` ; | &"),
        json!([]),
        json!({}),
        json!([[[[[]]]]]),
        json!({"a": {"b": 1}}),
    ]
}

/// Calls the API as the owner, each time from another address.
struct Caller<'a> {
    stage: &'a Stage,
    http: Client,
    calls: u32,
}

impl<'a> Caller<'a> {
    fn new(stage: &'a Stage) -> Self {
        Self { stage, http: client(), calls: 0 }
    }

    async fn send(&mut self, method: &str, path: &str, body: Option<Vec<u8>>) -> Response {
        self.calls += 1;
        let address = std::net::Ipv4Addr::from_bits(0x0b00_0000 + self.calls);
        let url = format!("{}{path}", self.stage.app.url);
        let mut request = self.http.request(method.parse::<Method>().unwrap(), url);
        request = request.bearer_auth(&self.stage.people["owner"].token).header("x-forwarded-for", address.to_string());
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        request.send().await.unwrap()
    }
}

/// What is wrong with an answer; nothing where it is one that the document knows.
async fn complaint(operation: &Value, response: Response) -> Option<String> {
    let status = response.status().as_u16();
    if status < 400 {
        return None;
    }
    let kind = response.headers().get("content-type").and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
    let problem: Value = response.json().await.unwrap_or_default();
    let Some(code) = problem["code"].as_str().filter(|_| kind == "application/problem+json") else {
        return Some(format!("{status} is no problem: {problem}"));
    };
    let known = &operation["responses"][status.to_string()]["x-codes"];
    if status >= 500 && !matches!(code, "no_subnet" | "github_unavailable") {
        return Some(format!("{status} {problem}"));
    }
    if !known.as_array().is_some_and(|codes| codes.iter().any(|it| it == code)) {
        return Some(format!("{status} `{code}` is not in the document, which has {known}"));
    }
    if status == 422 && problem["errors"][0]["field"].as_str().is_none_or(str::is_empty) {
        return Some(format!("422 names no field: {problem}"));
    }
    None
}

/// The operations with a body: method, address with things filled in, description.
fn with_bodies(stage: &Stage) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for (path, item) in stage.document()["paths"].as_object().unwrap() {
        for (method, it) in item.as_object().unwrap() {
            if it["requestBody"].is_object() {
                found.push((method.to_uppercase(), filled(stage, path, None), it.clone()));
            }
        }
    }
    found
}

/// A path with real things in it, or with this in the place of each.
fn filled(stage: &Stage, path: &str, with: Option<&str>) -> String {
    let thing = match path {
        _ if path.contains("/sites/") => "site",
        _ if path.contains("/teams/") => "team",
        _ if path.contains("/deployments/") => "deployment",
        _ if path.contains("/deliveries/") => "delivery",
        _ => "nobody",
    };
    let mut parts = Vec::new();
    for part in path.split('/') {
        parts.push(match (part.starts_with('{'), with, part) {
            (false, ..) => part.to_owned(),
            (true, Some(with), _) => with.to_owned(),
            (true, None, "{id}") => stage.things[thing].clone(),
            (true, None, "{name}") => "production".to_owned(),
            (true, None, "{number}") => "7".to_owned(),
            (true, None, _) => stage.things["nobody"].clone(),
        });
    }
    parts.join("/")
}

/// Bodies as the schema wants them: one, or one for each of the ways in which it can be.
fn samples(stage: &Stage, name: &str, schema: &Value) -> Vec<Value> {
    if let Some(path) = schema["$ref"].as_str() {
        return samples(stage, name, stage.document().pointer(&path[1..]).unwrap());
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(ways) = schema[key].as_array() {
            let ways = ways.iter().filter(|way| way["type"] != "null");
            return ways.flat_map(|way| samples(stage, name, way)).collect();
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return parts.iter().flat_map(|part| samples(stage, name, part)).collect();
    }
    if let Some(word) = schema["enum"].get(0) {
        return vec![word.clone()];
    }
    if let Some(fields) = schema["properties"].as_object() {
        let mut all = vec![Map::new()];
        for (field, schema) in fields {
            let values = samples(stage, field, schema);
            let with = |before: &Map<String, Value>, value: &Value| {
                let mut after = before.clone();
                after.insert(field.clone(), value.clone());
                after
            };
            all = all.iter().flat_map(|it| values.iter().map(|value| with(it, value)).collect::<Vec<_>>()).collect();
        }
        return all.into_iter().map(Value::Object).collect();
    }
    if schema["items"].is_object() {
        return samples(stage, name, &schema["items"]).into_iter().map(|item| json!([item])).collect();
    }
    let is = |kind: &str| {
        schema["type"] == kind || schema["type"].as_array().is_some_and(|all| all.iter().any(|it| it == kind))
    };
    vec![match name {
        "team_id" => json!(stage.things["team"]),
        "site_id" => json!(stage.things["site"]),
        "email" => json!("new@example.org"),
        "url" => json!("https://127.0.0.1:1/x.git"),
        "expires_at" => json!("2099-01-01T00:00:00Z"),
        "scopes" => json!(["deploy"]),
        "environment" | "copy_variables_from" => json!("production"),
        "branch" => json!("main"),
        "template" => json!("static"),
        _ if is("boolean") => json!(false),
        _ if is("integer") => json!(1),
        _ if is("object") => json!({}),
        _ => json!("word"),
    }]
}

/// Every place in a value, as a pointer.
fn places(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, it)| places(it, &format!("{at}/{name}"), into)),
        Value::Array(items) => items.iter().enumerate().for_each(|(n, it)| places(it, &format!("{at}/{n}"), into)),
        _ => {}
    }
}

fn without(value: &Value, at: &str) -> Option<Value> {
    let (parent, name) = at.rsplit_once('/')?;
    let mut changed = value.clone();
    changed.pointer_mut(parent)?.as_object_mut()?.remove(name)?;
    Some(changed)
}

#[tokio::test]
async fn a_body_that_is_wrong_anywhere_is_a_problem_with_a_code_that_is_documented() {
    let stage = Stage::set().await;
    let mut caller = Caller::new(&stage);
    let (mut complaints, mut bodies) = (Vec::new(), 0);
    for (method, path, operation) in with_bodies(&stage) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        for sample in samples(&stage, "", schema) {
            let mut all = Vec::new();
            places(&sample, "", &mut all);
            let mut wrong: Vec<(String, Value)> = Vec::new();
            for place in &all {
                for value in wrong_values() {
                    let mut body = sample.clone();
                    *body.pointer_mut(place).unwrap() = value.clone();
                    wrong.push((format!("{place} = {value:.60}"), body));
                }
                wrong.extend(without(&sample, place).map(|body| (format!("without {place}"), body)));
            }
            for (what, body) in wrong {
                bodies += 1;
                let response = caller.send(&method, &path, Some(serde_json::to_vec(&body).unwrap())).await;
                if let Some(complaint) = complaint(&operation, response).await {
                    complaints.push(format!("{method} {path} {what}: {complaint}"));
                }
            }
        }
    }
    assert!(bodies > 1_000, "{bodies}");
    assert!(complaints.is_empty(), "{} of {bodies}:\n{}", complaints.len(), complaints.join("\n"));
}

#[tokio::test]
async fn bytes_that_are_no_body_are_refused_at_once() {
    let stage = Stage::set().await;
    let mut caller = Caller::new(&stage);
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000)).into_bytes();
    let many = format!("{{\"variables\": [{}0]}}", "0,".repeat(400_000)).into_bytes();
    let bombs = [
        deep("[", "]"),
        deep("{\"a\":", "}"),
        many,
        b"\xff\xfe\x00".to_vec(),
        b"{\"name\": \"\xff\"}".to_vec(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"{\"name\":\"a\",\"name\":\"b\"}".to_vec(),
        vec![b' '; 1024 * 1024 + 1],
    ];
    let mut complaints = Vec::new();
    for (method, path, operation) in with_bodies(&stage) {
        for (number, bomb) in bombs.iter().enumerate() {
            let response = caller.send(&method, &path, Some(bomb.clone())).await;
            // `null` is what may be left out.
            let is_refused = response.status().is_client_error() || number == 6;
            if !is_refused {
                complaints.push(format!("{method} {path}: number {number} is taken"));
            }
            complaints
                .extend(complaint(&operation, response).await.map(|it| format!("{method} {path} {number}: {it}")));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[tokio::test]
async fn what_is_no_id_is_not_there() {
    let stage = Stage::set().await;
    let mut caller = Caller::new(&stage);
    let long = "a".repeat(6_000);
    let ids = [
        "x",
        "-1",
        "0",
        "null",
        "%00",
        "%ff",
        "%2e%2e%2f%2e%2e",
        "..%5c..",
        "'%20or%201=1%20--",
        "%3Cscript%3E",
        "%0d%0aA:b",
        "$(id)",
        "00000000-0000-0000-0000-00000000000g",
        "99999999999999999999",
        "%F0%9F%A6%80",
        long.as_str(),
    ];
    let mut complaints = Vec::new();
    for (path, item) in stage.document()["paths"].as_object().unwrap() {
        if !path.contains('{') {
            continue;
        }
        for (method, operation) in item.as_object().unwrap() {
            for id in ids {
                let path = filled(&stage, path, Some(id));
                let body = operation["requestBody"].is_object().then(|| b"{}".to_vec());
                let response = caller.send(&method.to_uppercase(), &path, body).await;
                let status = response.status().as_u16();
                if !matches!(status, 400 | 404 | 422) {
                    complaints.push(format!("{method} {path:.120}: {status}"));
                }
                complaints.extend(complaint(operation, response).await.map(|it| format!("{method} {path:.120}: {it}")));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
