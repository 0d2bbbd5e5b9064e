//! What bodies and answers are made of: the document's schemas, as tables.

use leptos::prelude::*;
use serde_json::Value;

/// A field: its name, its schema, whether it is always there, what it is.
pub type Row = (String, Value, bool, String);

/// All schemas.
#[component]
pub fn ShapesView(document: Value) -> impl IntoView {
    let all = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
    let shapes = all.into_iter().map(|(name, schema)| {
        let about = schema["description"].as_str().unwrap_or_default().to_owned();
        view! {
            <section class="panel px-4 py-3" id=format!("shape-{name}")>
                <h3 class="font-mono text-sm font-semibold break-all">{name.clone()}</h3>
                <p class="mt-1 text-sm text-muted">{about}</p>
                {inside(&schema)}
            </section>
        }
    });
    view! {
        <section class="mt-10" aria-labelledby="shapes">
            <h2 id="shapes" class="text-lg font-semibold">
                "Shapes"
            </h2>
            <div class="mt-3 flex flex-col gap-2">{shapes.collect_view()}</div>
        </section>
    }
}

/// A table of fields.
#[component]
pub fn Fields(rows: Vec<Row>) -> impl IntoView {
    let rows = rows.into_iter().map(|(name, schema, required, about)| {
        let presence = if required { "" } else { " (optional)" };
        view! {
            <div class="grid gap-x-4 border-t border-base-300 py-1.5 sm:grid-cols-[12rem_14rem_1fr]">
                <dt class="font-mono break-all">{name}</dt>
                <dd class="text-muted">
                    {kind(&schema)} {presence}
                </dd>
                <dd>{about}</dd>
            </div>
        }
    });
    view! { <dl class="mt-1 text-sm">{rows.collect_view()}</dl> }
}

/// What a schema holds: its fields, its words, or the shapes that it is one or all of.
fn inside(schema: &Value) -> AnyView {
    if let Some(fields) = schema["properties"].as_object() {
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let rows = fields.iter().map(|(name, it)| {
            let about = it["description"].as_str().unwrap_or_default().to_owned();
            (name.clone(), it.clone(), required.contains(&name.as_str()), about)
        });
        let rows = rows.collect::<Vec<Row>>();
        return view! { <Fields rows /> }.into_any();
    }
    for key in ["allOf", "oneOf", "anyOf"] {
        if let Some(parts) = schema[key].as_array() {
            let words = if key == "allOf" { "All of:" } else { "One of:" };
            let parts =
                parts.iter().map(|part| view! { <li class="mt-1">{kind(part)} {inside(part)}</li> }).collect_view();
            return view! {
                <p class="mt-2 text-sm">{words}</p>
                <ul class="ml-4 list-disc text-sm">{parts}</ul>
            }
            .into_any();
        }
    }
    ().into_any()
}

/// A schema in a few words, with a link to the shape that it names.
pub fn kind(schema: &Value) -> AnyView {
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next()) {
        return view! {
            <a class="link-accent font-mono break-all" href=format!("/api/docs#shape-{name}")>
                {name.to_owned()}
            </a>
        }
        .into_any();
    }
    if schema["items"].is_object() {
        return view! { <span>"list of " {kind(&schema["items"])}</span> }.into_any();
    }
    if let Some(parts) = schema["oneOf"].as_array().filter(|parts| parts.iter().any(|it| it["type"] == "null")) {
        let parts = parts.iter().filter(|it| it["type"] != "null").map(kind).collect_view();
        return view! { <span>{parts} " or null"</span> }.into_any();
    }
    let words = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
    if !words.is_empty() {
        return view! { <span class="font-mono">{words.join(" | ")}</span> }.into_any();
    }
    let text = match &schema["type"] {
        Value::String(one) => one.clone(),
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => String::new(),
    };
    let text = match schema["format"].as_str() {
        Some(format) => format!("{text} ({format})"),
        None => text,
    };
    text.into_any()
}
