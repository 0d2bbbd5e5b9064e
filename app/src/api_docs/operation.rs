//! One operation: how it is called, by whom, and what it answers.

use super::shapes::{Fields, kind};
use leptos::prelude::*;
use serde_json::Value;

/// An operation of the document.
#[derive(Debug, Clone)]
pub struct Operation {
    pub noun: String,
    method: String,
    path: String,
    it: Value,
}

impl Operation {
    /// All of them, those of one noun together.
    pub fn all(document: &Value) -> Vec<Self> {
        let mut all = Vec::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, it) in item.as_object().into_iter().flatten() {
                let noun = it["tags"][0].as_str().unwrap_or("other").to_owned();
                all.push(Self { noun, method: method.to_uppercase(), path: path.clone(), it: it.clone() });
            }
        }
        all.sort_by(|a, b| a.noun.cmp(&b.noun));
        all
    }

    /// All words stand somewhere in it.
    pub fn has(&self, words: &[String]) -> bool {
        let text = format!("{} {} {}", self.method, self.path, self.it).to_lowercase();
        words.iter().all(|word| text.contains(word))
    }

    fn text(&self, key: &str) -> String {
        self.it[key].as_str().unwrap_or_default().to_owned()
    }

    /// Who may call it, for people.
    fn access(&self) -> String {
        let ways = self.it["security"].as_array().map(Vec::as_slice).unwrap_or_default();
        match ways {
            [] => "Everybody.".to_owned(),
            [_] => "Whoever signed in with a password; no API tokens.".to_owned(),
            [_, token, ..] => {
                let scopes = token["api_token"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let scopes: Vec<&str> = scopes.collect();
                if scopes.is_empty() {
                    "Whoever is signed in, and every API token.".to_owned()
                } else {
                    format!("Whoever is signed in, and API tokens with the scope {}.", scopes.join(", "))
                }
            }
        }
    }
}

/// An operation, folded up unless it was searched for.
#[component]
pub fn OperationView(operation: Operation, is_open: bool) -> impl IntoView {
    let body = &operation.it["requestBody"];
    let media = body["content"].as_object().and_then(|kinds| kinds.values().next());
    let body = media.map(|media| {
        let note = if body["required"] == true { "" } else { " (may be left out)" };
        let schema = media["schema"].clone();
        view! {
            <h4 class="mt-4 text-sm font-semibold">{format!("Body{note}")}</h4>
            {kind(&schema)}
        }
    });
    let parameters: Vec<Value> = operation.it["parameters"].as_array().cloned().unwrap_or_default();
    let parameters = (!parameters.is_empty()).then(|| {
        let rows = parameters.iter().map(|it| {
            let name = it["name"].as_str().unwrap_or_default().to_owned();
            let place = it["in"].as_str().unwrap_or_default();
            let about = it["description"].as_str().unwrap_or_default();
            (name, it["schema"].clone(), it["required"] == true, format!("In the {place}. {about}"))
        });
        let rows = rows.collect::<Vec<_>>();
        view! {
            <h4 class="mt-4 text-sm font-semibold">"Parameters"</h4>
            <Fields rows />
        }
    });
    let answers = operation.it["responses"].as_object().into_iter().flatten().map(answer).collect_view();
    let (id, access) = (operation.text("operationId"), operation.access());
    let (summary, about) = (operation.text("summary"), operation.text("description"));
    view! {
        <details id=id class="panel px-4 py-3" open=is_open>
            <summary class="cursor-pointer">
                <span class="inline-block w-16 font-mono text-xs font-semibold">{operation.method}</span>
                <span class="font-mono text-sm break-all">{operation.path}</span>
                <span class="ml-2 text-sm text-muted">{summary}</span>
            </summary>
            <p class="mt-3 text-sm">{about}</p>
            <h4 class="mt-4 text-sm font-semibold">"Who may"</h4>
            <p class="mt-1 text-sm">{access}</p>
            {parameters}
            {body}
            <h4 class="mt-4 text-sm font-semibold">"Answers"</h4>
            <dl class="mt-1 text-sm">{answers}</dl>
        </details>
    }
    .into_any()
}

fn answer((status, response): (&String, &Value)) -> impl IntoView + use<> {
    let about = response["description"].as_str().unwrap_or_default().to_owned();
    let is_problem = response["x-codes"].is_array();
    let media = response["content"].as_object().and_then(|kinds| kinds.values().next());
    let shape = media.filter(|_| !is_problem).map(|media| kind(&media["schema"]));
    view! {
        <div class="flex gap-3 py-1">
            <dt class="w-10 shrink-0 font-mono">{status.clone()}</dt>
            <dd class="min-w-0">
                <span class="break-words">{about}</span>
                " "
                {shape}
            </dd>
        </div>
    }
}
