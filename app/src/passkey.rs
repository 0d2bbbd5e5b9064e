//! The browser's side of passkeys: the only file that talks to `navigator.credentials`.

/// What went wrong in the browser, for people.
#[cfg(feature = "hydrate")]
const CANCELLED: &str = "No passkey was used: it was cancelled, or took too long.";
#[cfg(feature = "hydrate")]
const UNKNOWN: &str = "This browser does not know passkeys; update it, or use another way.";

/// What is asked of the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Make a new passkey.
    Create,
    /// Sign with one that is there.
    Get,
}

/// Asks the browser for a passkey; `options` and the answer are JSON (WebAuthn Level 3, section 5.1).
///
/// # Errors
/// A sentence for people.
#[cfg(feature = "hydrate")]
pub async fn ask(wish: Wish, options: &str) -> Result<String, String> {
    use js_sys::{Function, JSON, Object, Promise, Reflect};
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;

    let unknown = |_: JsValue| UNKNOWN.to_owned();
    let member = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).map_err(unknown);
    let call = |of: &JsValue, name: &str, argument: &JsValue| -> Result<JsValue, JsValue> {
        let function: Function = Reflect::get(of, &name.into())?.dyn_into()?;
        function.call1(of, argument)
    };
    let (parse, act) = match wish {
        Wish::Create => ("parseCreationOptionsFromJSON", "create"),
        Wish::Get => ("parseRequestOptionsFromJSON", "get"),
    };
    let window = leptos::prelude::window();
    let class = member(&window, "PublicKeyCredential")?;
    let credentials = member(&window.navigator(), "credentials")?;
    let options = JSON::parse(options).map_err(unknown)?;
    let public_key = call(&class, parse, &member(&options, "publicKey")?).map_err(unknown)?;
    let argument = Object::new();
    Reflect::set(&argument, &"publicKey".into(), &public_key).map_err(unknown)?;
    let promise: Promise = call(&credentials, act, &argument).and_then(JsCast::dyn_into).map_err(unknown)?;
    let credential = JsFuture::from(promise).await.map_err(|error| told(&error))?;
    let json = call(&credential, "toJSON", &JsValue::UNDEFINED).map_err(unknown)?;
    JSON::stringify(&json).ok().and_then(|text| text.as_string()).ok_or_else(|| UNKNOWN.to_owned())
}

/// On the server there is no browser to ask.
///
/// # Errors
/// Always.
#[cfg(not(feature = "hydrate"))]
pub async fn ask(_: Wish, _: &str) -> Result<String, String> {
    std::future::ready(Err(String::new())).await
}

/// What the browser's refusal means.
#[cfg(feature = "hydrate")]
fn told(error: &wasm_bindgen::JsValue) -> String {
    let name = js_sys::Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string());
    match name.as_deref() {
        Some("InvalidStateError") => "This device has a passkey for your account already.".to_owned(),
        Some("SecurityError") => "Passkeys work only at the address that the operator has set, over HTTPS.".to_owned(),
        _ => CANCELLED.to_owned(),
    }
}
