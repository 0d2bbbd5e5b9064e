//! The service as a black box: a browser at one end, PostgreSQL or HTTP at the other.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::time::Duration;

use serde_json::{Value, json};
use support::{Browser, Channel, Service, WebSocket};
use tokio::time::timeout;

#[tokio::test]
async fn without_a_database_it_is_well_at_once() {
    let service = Service::start(&[]).await;
    let (status, body) = service.get("/health").await;
    assert_eq!(status, 200);
    assert_eq!(body, json!({"status": "ok", "database": "none"}));
}

#[tokio::test]
async fn a_message_over_http_reaches_every_browser() {
    let service = Service::start(&[]).await;
    let mut ann = Browser::connect(&service).await;
    let mut ben = Browser::connect(&service).await;

    let (status, _) = service.emit(r#"{"event":"price","data":[1,2]}"#).await;

    assert_eq!(status, 202);
    assert_eq!(ann.next_event().await, json!(["price", [1, 2]]));
    assert_eq!(ben.next_event().await, json!(["price", [1, 2]]));
}

#[tokio::test]
async fn a_message_to_a_room_reaches_only_who_is_in_it() {
    let service = Service::start(&[]).await;
    let mut ann = Browser::connect(&service).await;
    let mut ben = Browser::connect(&service).await;
    assert_eq!(ann.ask("join", &json!("kitchen")).await, json!({"ok": true}));

    service.emit(r#"{"event":"meal","room":"kitchen","data":"soup"}"#).await;
    service.emit(r#"{"event":"end"}"#).await;

    assert_eq!(ann.next_event().await, json!(["meal", "soup"]));
    assert_eq!(ben.next_event().await, json!(["end", null]));
}

#[tokio::test]
async fn who_left_a_room_hears_no_more_of_it() {
    let service = Service::start(&[]).await;
    let mut ann = Browser::connect(&service).await;
    ann.ask("join", &json!("kitchen")).await;
    assert_eq!(ann.ask("leave", &json!("kitchen")).await, json!({"ok": true}));

    service.emit(r#"{"event":"meal","room":"kitchen"}"#).await;
    service.emit(r#"{"event":"end"}"#).await;

    assert_eq!(ann.next_event().await, json!(["end", null]));
}

#[tokio::test]
async fn rooms_have_sound_names_and_a_number() {
    let service = Service::start(&[]).await;
    let mut ann = Browser::connect(&service).await;
    for name in [json!(""), json!("x".repeat(101)), json!(7), json!({"room": "a"}), Value::Null] {
        assert_eq!(ann.ask("join", &name).await, json!({"error": "invalid_room"}), "{name}");
    }
    for number in 0..64 {
        assert_eq!(ann.ask("join", &json!(format!("r{number}"))).await, json!({"ok": true}));
    }
    assert_eq!(ann.ask("join", &json!("one more")).await, json!({"error": "too_many_rooms"}));
    assert_eq!(ann.ask("join", &json!("r0")).await, json!({"ok": true}), "already in it");
}

#[tokio::test]
async fn bad_messages_are_refused_and_harm_nothing() {
    let service = Service::start(&[]).await;
    let mut ann = Browser::connect(&service).await;

    assert_eq!(service.emit("{").await.0, 400);
    let (status, body) = service.emit(r#"{"event":"connect"}"#).await;
    assert_eq!((status, &body["error"]), (422, &json!("invalid_message")));
    let large = json!({"event": "large", "data": "x".repeat(70_000)}).to_string();
    assert_eq!(service.emit(&large).await.0, 413);
    service.emit(r#"{"event":"end"}"#).await;

    assert_eq!(ann.next_event().await, json!(["end", null]));
}

#[tokio::test]
async fn messages_that_came_through_the_proxy_are_not_heard() {
    let service = Service::start(&[]).await;
    let answer =
        service.post("/emit", r#"{"event":"spam"}"#).header("X-Forwarded-For", "203.0.113.9").send().await.unwrap();
    assert_eq!(answer.status(), 404);
}

#[tokio::test]
async fn with_tokens_required_only_the_sites_own_may_connect() {
    let service = Service::start(&[("ALERT_REQUIRE_TOKEN", "1"), ("JWT_SECRET", "the site's")]).await;

    for auth in [json!(null), json!({}), json!({"token": support::token("another's")})] {
        let refused = Browser::try_connect(&service, &auth).await.unwrap_err();
        assert_eq!(refused, json!({"message": "unauthorized"}), "{auth}");
    }

    let auth = json!({"token": support::token("the site's")});
    let mut ann = Browser::try_connect(&service, &auth).await.unwrap();
    service.emit(r#"{"event":"hello"}"#).await;
    assert_eq!(ann.next_event().await, json!(["hello", null]));
}

#[tokio::test]
async fn a_notification_of_the_database_reaches_the_browser() {
    let mut channel = Channel::open().await;
    let service = Service::start(&channel.environment()).await;
    service.until_listening().await;
    let mut ann = Browser::connect(&service).await;

    channel.notify("no message at all").await;
    channel.notify(r#"{"event":"entry","room":7}"#).await;
    channel.notify(r#"{"event":"entry","data":{"name":"Zoë"}}"#).await;

    assert_eq!(ann.next_event().await, json!(["entry", {"name": "Zoë"}]));
}

#[tokio::test]
async fn after_the_database_was_lost_browsers_are_told_to_catch_up() {
    let mut channel = Channel::open().await;
    let service = Service::start(&channel.environment()).await;
    service.until_listening().await;
    let mut ann = Browser::connect(&service).await;

    channel.cut_off().await;
    assert_eq!(ann.next_event().await, json!(["resync", null]));
    assert_eq!(service.get("/health").await.1["database"], "listening");

    channel.notify(r#"{"event":"entry","data":1}"#).await;
    assert_eq!(ann.next_event().await, json!(["entry", 1]));
}

#[tokio::test]
async fn while_the_database_was_never_reached_it_runs_but_is_not_ready() {
    let nowhere = support::unused_port();
    let url = format!("postgres://site:secret@127.0.0.1:{nowhere}/site");
    let service = Service::start(&[("DATABASE_URL", &url)]).await;
    let mut ann = Browser::connect(&service).await;

    let (status, body) = service.get("/health").await;
    assert_eq!(status, 503);
    assert_eq!(body, json!({"status": "starting", "database": "connecting"}));

    service.emit(r#"{"event":"still","data":true}"#).await;
    assert_eq!(ann.next_event().await, json!(["still", true]));
}

#[tokio::test]
async fn messages_come_over_websockets_too() {
    let service = Service::start(&[]).await;
    let mut ann = WebSocket::connect(&service).await;

    service.emit(r#"{"event":"price","data":1}"#).await;

    assert_eq!(ann.next_packet().await.unwrap(), r#"42["price",1]"#);
}

#[tokio::test]
async fn stopping_ends_open_connections_in_a_way_that_brings_clients_back() {
    let mut service = Service::start(&[]).await;
    let mut ann = WebSocket::connect(&service).await;

    service.stop();

    // Engine.IO's "close" or nothing, not Socket.IO's "disconnect": after that one clients stay away.
    let last = ann.next_packet().await;
    assert!(matches!(last.as_deref(), None | Some("1")), "{last:?}");
    assert_eq!(ann.closed_with().await, Some(1001), "going away");
    timeout(Duration::from_secs(2), service.ended()).await.unwrap();
}
