//! What happens on the server, as it happens: the only file that touches the Socket.IO client.
//!
//! The client's script is loaded when the first page wants to follow something. After a gap in the connection every
//! subscription is made anew, a log's from its last line, and what else may have changed is asked for once.

use leptos::prelude::*;
use model::{DeploymentId, SiteId, event::Notification, views::LogItem};

/// Calls `changed` whenever the site or one of its deployments moved, until the current owner is gone. Calls never
/// overlap; of many events at once the last is answered by one call.
pub fn on_site(id: SiteId, changed: impl AsyncFn() + 'static) {
    #[cfg(feature = "hydrate")]
    browser::follow(
        browser::Topic::Site(id),
        browser::Follower { changed: Some(browser::coalesced(changed)), ..Default::default() },
    );
    #[cfg(not(feature = "hydrate"))]
    let _ = (id, changed);
}

/// Calls `changed` whenever the deployment moved, until the current owner is gone.
pub fn on_deployment(id: DeploymentId, changed: impl AsyncFn() + 'static) {
    #[cfg(feature = "hydrate")]
    browser::follow(
        browser::Topic::Deployment(id),
        browser::Follower { changed: Some(browser::coalesced(changed)), ..Default::default() },
    );
    #[cfg(not(feature = "hydrate"))]
    let _ = (id, changed);
}

/// Gives the lines that are added to a deployment's log to `lines`, from the one after `after()` on, until the current
/// owner is gone. `lines` answers `false` when some are missing before these; they are then asked for again.
pub fn on_log(id: DeploymentId, after: impl Fn() -> i64 + 'static, lines: impl Fn(Vec<LogItem>) -> bool + 'static) {
    #[cfg(feature = "hydrate")]
    browser::follow(
        browser::Topic::Deployment(id),
        browser::Follower {
            after: Some(std::rc::Rc::new(after)),
            lines: Some(std::rc::Rc::new(lines)),
            ..Default::default()
        },
    );
    #[cfg(not(feature = "hydrate"))]
    let _ = (id, after, lines);
}

/// Gives what a person should know, wherever in the dashboard they are, to `tell`.
pub fn on_notification(tell: impl Fn(Notification) + 'static) {
    #[cfg(feature = "hydrate")]
    browser::follow(
        browser::Topic::Own,
        browser::Follower { notification: Some(std::rc::Rc::new(tell)), ..Default::default() },
    );
    #[cfg(not(feature = "hydrate"))]
    let _ = tell;
}

/// Whether news arrive; `true` until a connection was lost.
pub fn connected() -> Signal<bool> {
    #[cfg(feature = "hydrate")]
    return browser::connected();
    #[cfg(not(feature = "hydrate"))]
    Signal::stored(true)
}

#[cfg(feature = "hydrate")]
mod browser {
    use js_sys::{Array, Function, JSON, Object, Reflect};
    use leptos::{prelude::*, task::spawn_local};
    use model::{
        DeploymentId, SiteId,
        event::{DeploymentEvent, LogEvent, Notification, SiteEvent},
        views::LogItem,
    };
    use serde::de::DeserializeOwned;
    use serde_json::json;
    use std::{
        cell::{Cell, RefCell},
        collections::BTreeMap,
        rc::Rc,
        time::Duration,
    };
    use wasm_bindgen::{JsCast, JsValue, closure::Closure};

    /// How long to stay away when the server said so.
    const AWAY: Duration = Duration::from_secs(3);
    const SCRIPT: &str = "/vendor/socket.io.min.js";

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Topic {
        Site(SiteId),
        Deployment(DeploymentId),
        /// What comes without asking.
        Own,
    }

    #[derive(Clone, Default)]
    pub struct Follower {
        pub changed: Option<Rc<dyn Fn()>>,
        pub after: Option<Rc<dyn Fn() -> i64>>,
        pub lines: Option<Rc<dyn Fn(Vec<LogItem>) -> bool>>,
        pub notification: Option<Rc<dyn Fn(Notification)>>,
    }

    #[derive(Default)]
    struct Hub {
        socket: RefCell<Option<JsValue>>,
        is_loading: Cell<bool>,
        is_up: Cell<bool>,
        followers: RefCell<BTreeMap<u64, (Topic, Follower)>>,
        next: Cell<u64>,
    }

    thread_local! {
        static HUB: Hub = Hub::default();
        static CONNECTED: ArcRwSignal<bool> = ArcRwSignal::new(true);
    }

    pub fn connected() -> Signal<bool> {
        CONNECTED.with(|it| it.clone().into())
    }

    /// Runs `ask`, and once more when it was wanted meanwhile.
    pub fn coalesced(ask: impl AsyncFn() + 'static) -> Rc<dyn Fn()> {
        let ask = Rc::new(ask);
        let runs = Rc::new(Cell::new(false));
        let again = Rc::new(Cell::new(false));
        Rc::new(move || {
            again.set(true);
            if runs.replace(true) {
                return;
            }
            let (ask, runs, again) = (ask.clone(), runs.clone(), again.clone());
            spawn_local(async move {
                while again.replace(false) {
                    ask().await;
                }
                runs.set(false);
            });
        })
    }

    pub fn follow(topic: Topic, follower: Follower) {
        let key = HUB.with(|hub| {
            let key = hub.next.replace(hub.next.get() + 1);
            hub.followers.borrow_mut().insert(key, (topic, follower));
            key
        });
        on_cleanup(move || leave(key, topic));
        connect();
        if HUB.with(|hub| hub.is_up.get()) {
            subscribe(topic);
        }
    }

    fn leave(key: u64, topic: Topic) {
        let was_last = HUB.with(|hub| {
            let mut followers = hub.followers.borrow_mut();
            followers.remove(&key);
            followers.values().all(|(other, _)| *other != topic)
        });
        if was_last && let Some(payload) = payload(topic, None) {
            emit("unsubscribe", &payload, None);
        }
    }

    /// The followers of what `wanted` accepts, taken out so that they may follow or leave while they run.
    fn followers(wanted: impl Fn(Topic) -> bool) -> Vec<Follower> {
        HUB.with(|hub| {
            let followers = hub.followers.borrow();
            followers.values().filter(|(topic, _)| wanted(*topic)).map(|(_, follower)| follower.clone()).collect()
        })
    }

    fn connect() {
        let begin = HUB.with(|hub| hub.socket.borrow().is_none() && !hub.is_loading.replace(true));
        if !begin {
            return;
        }
        if open().is_some() {
            return;
        }
        let script =
            document().create_element("script").ok().and_then(|el| el.dyn_into::<web_sys::HtmlScriptElement>().ok());
        let (Some(script), Some(head)) = (script, document().head()) else { return };
        let loaded = Closure::once_into_js(|| {
            open();
        });
        let failed = Closure::once_into_js(|| CONNECTED.with(|it| it.set(false)));
        script.set_src(SCRIPT);
        script.set_onload(Some(loaded.unchecked_ref()));
        script.set_onerror(Some(failed.unchecked_ref()));
        let _ = head.append_child(&script);
    }

    /// Opens the connection if the client's script is there.
    fn open() -> Option<()> {
        let io: Function = Reflect::get(&window(), &"io".into()).ok()?.dyn_into().ok()?;
        let options = JSON::parse(r#"{"reconnectionDelay": 500, "reconnectionDelayMax": 5000}"#).ok()?;
        let socket = io.call1(&JsValue::NULL, &options).ok()?;
        on(&socket, "connect", |_| {
            HUB.with(|hub| hub.is_up.set(true));
            CONNECTED.with(|it| it.set(true));
            let mut topics: Vec<Topic> = Vec::new();
            HUB.with(|hub| {
                for (topic, _) in hub.followers.borrow().values() {
                    if !topics.contains(topic) {
                        topics.push(*topic);
                    }
                }
            });
            topics.into_iter().for_each(subscribe);
        });
        // The client comes back by itself when the network failed, but not when the server sent it away.
        on(&socket, "disconnect", |reason| {
            HUB.with(|hub| hub.is_up.set(false));
            CONNECTED.with(|it| it.set(false));
            if reason.as_string().as_deref() == Some("io server disconnect") {
                set_timeout(reconnect, AWAY);
            }
        });
        on(&socket, "connect_error", |error| {
            CONNECTED.with(|it| it.set(false));
            let message = Reflect::get(&error, &"message".into()).ok().and_then(|message| message.as_string());
            if message.as_deref() == Some("unavailable") {
                set_timeout(reconnect, AWAY);
            }
        });
        on(&socket, "deployment", |raw| {
            let Some(event) = read::<DeploymentEvent>(&raw) else { return };
            let wanted = |topic| topic == Topic::Deployment(event.id) || topic == Topic::Site(event.site_id);
            followers(wanted).iter().filter_map(|f| f.changed.as_ref()).for_each(|changed| changed());
        });
        on(&socket, "site", |raw| {
            let Some(event) = read::<SiteEvent>(&raw) else { return };
            let wanted = |topic| topic == Topic::Site(event.id);
            followers(wanted).iter().filter_map(|f| f.changed.as_ref()).for_each(|changed| changed());
        });
        on(&socket, "deployment.log", |raw| {
            let Some(event) = read::<LogEvent>(&raw) else { return };
            let topic = Topic::Deployment(event.id);
            let mut is_whole = true;
            for lines in followers(|other| other == topic).into_iter().filter_map(|f| f.lines) {
                is_whole &= lines(event.items.clone());
            }
            if !is_whole {
                subscribe(topic);
            }
        });
        on(&socket, "notification", |raw| {
            let Some(notification) = read::<Notification>(&raw) else { return };
            for tell in followers(|topic| topic == Topic::Own).into_iter().filter_map(|f| f.notification) {
                tell(notification.clone());
            }
        });
        HUB.with(|hub| *hub.socket.borrow_mut() = Some(socket));
        Some(())
    }

    fn reconnect() {
        if let Some(socket) = HUB.with(|hub| hub.socket.borrow().clone()) {
            call(&socket, "connect", &Array::new());
        }
    }

    fn payload(topic: Topic, after: Option<i64>) -> Option<serde_json::Value> {
        match topic {
            Topic::Site(id) => Some(json!({ "site_id": id })),
            Topic::Deployment(id) => Some(match after {
                Some(after) => json!({ "deployment_id": id, "after": after }),
                None => json!({ "deployment_id": id }),
            }),
            Topic::Own => None,
        }
    }

    /// Asks for the news of a topic; once that is granted, asks for what may have changed before.
    fn subscribe(topic: Topic) {
        let after = followers(|other| other == topic).into_iter().filter_map(|f| f.after).map(|after| after()).min();
        let Some(payload) = payload(topic, after) else { return };
        let granted = Closure::once_into_js(move |answer: JsValue| {
            let code = Reflect::get(&answer, &"error".into()).ok().and_then(|code| code.as_string());
            match code {
                Some(code) => leptos::logging::warn!("no live updates: {code}"),
                None => {
                    followers(|other| other == topic)
                        .iter()
                        .filter_map(|f| f.changed.as_ref())
                        .for_each(|changed| changed());
                }
            }
        });
        emit("subscribe", &payload, Some(&granted));
    }

    fn emit(event: &str, payload: &serde_json::Value, answer: Option<&JsValue>) {
        let Some(socket) = HUB.with(|hub| hub.socket.borrow().clone()) else { return };
        let Ok(payload) = JSON::parse(&payload.to_string()) else { return };
        let arguments = Array::of2(&event.into(), &payload);
        if let Some(answer) = answer {
            arguments.push(answer);
        }
        call(&socket, "emit", &arguments);
    }

    fn on(socket: &JsValue, event: &str, run: impl Fn(JsValue) + 'static) {
        // The socket lives as long as the page, and so do its listeners.
        let listener = Closure::<dyn Fn(JsValue)>::new(run).into_js_value();
        call(socket, "on", &Array::of2(&event.into(), &listener));
    }

    fn call(socket: &JsValue, method: &str, arguments: &Array) {
        let function = Reflect::get(socket, &method.into()).ok().and_then(|it| it.dyn_into::<Function>().ok());
        if let Some(function) = function
            && let Err(error) = function.apply(socket, arguments)
        {
            leptos::logging::warn!("socket.{method}: {error:?}");
        }
    }

    fn read<T: DeserializeOwned>(raw: &JsValue) -> Option<T> {
        let text = JSON::stringify(raw.unchecked_ref::<Object>()).ok()?.as_string()?;
        serde_json::from_str(&text).inspect_err(|error| leptos::logging::warn!("an event cannot be read: {error}")).ok()
    }
}
