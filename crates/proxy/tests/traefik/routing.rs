//! Which request reaches which service.

use crate::{
    backend::Backend,
    bench::{Bench, PATIENCE, routes, service},
};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn paths_lead_to_their_services_with_the_host_kept() {
    let bench = Bench::running().await;
    let (www, api, alert) = (Backend::start("www").await, Backend::start("api").await, Backend::start("alert").await);
    let port = bench.settings.http_port;
    let site = routes(
        "shop",
        vec![
            service("www", &www, "/", false),
            service("api", &api, "/api", true),
            service("alert", &alert, "/socket.io", false),
        ],
    );
    bench.proxy.put(&site).await.unwrap();
    bench.proxy.confirm(&site, PATIENCE).await.unwrap();

    let host = format!("shop.localhost:{port}");
    for (path, answer) in [
        ("/", "www /"),
        ("/deep/page?q=1", "www /deep/page?q=1"),
        ("/api", "api /"),
        ("/api/", "api /"),
        ("/api/entries?n=2", "api /entries?n=2"),
        ("/apiary", "www /apiary"),
        ("/socket.io/?EIO=4", "alert /socket.io/?EIO=4"),
        ("/socket.iox", "www /socket.iox"),
    ] {
        assert_eq!(bench.get(&host, path).await, (200, format!("{answer} {host} {host}")), "{path}");
    }
    assert_eq!(bench.get("other.localhost", "/").await.0, 404);
}

#[tokio::test]
async fn a_websocket_passes_through() {
    let bench = Bench::running().await;
    let alert = Backend::start("alert").await;
    let site = routes("chat", vec![service("alert", &alert, "/socket.io", false)]);
    bench.proxy.put(&site).await.unwrap();
    bench.proxy.confirm(&site, PATIENCE).await.unwrap();

    let mut socket = TcpStream::connect(("127.0.0.1", bench.settings.http_port)).await.unwrap();
    let ask = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: chat.localhost\r\nConnection: Upgrade\r\n\
               Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(ask.as_bytes()).await.unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head.push(char::from(socket.read_u8().await.unwrap()));
    }
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    for word in [b"hello", b"again"] {
        socket.write_all(word).await.unwrap();
        let mut echo = [0; 5];
        socket.read_exact(&mut echo).await.unwrap();
        assert_eq!(&echo, word);
    }
}

#[tokio::test]
async fn a_removed_site_answers_404() {
    let bench = Bench::running().await;
    let www = Backend::start("www").await;
    let (gone, stays) = (
        routes("gone", vec![service("www", &www, "/", false)]),
        routes("stays", vec![service("www", &www, "/", false)]),
    );
    for site in [&gone, &stays] {
        bench.proxy.put(site).await.unwrap();
        bench.proxy.confirm(site, PATIENCE).await.unwrap();
    }
    bench.proxy.remove("gone").await.unwrap();
    bench.until_status("gone.localhost", 404).await;
    assert_eq!(bench.get("stays.localhost", "/").await.0, 200);
    assert!(bench.proxy.read().await.unwrap().keys().eq(["stays"]));
}

#[tokio::test]
async fn a_half_written_file_is_never_read() {
    let bench = Bench::running().await;
    let www = Backend::start("www").await;
    let half = routes("half", vec![service("www", &www, "/", false)]).render().unwrap();
    std::fs::write(bench.dir.path().join(".AbC123.tmp"), &half).unwrap();
    std::fs::write(bench.dir.path().join(".half.tmp"), &half[..half.len() / 2]).unwrap();
    let whole = routes("whole", vec![service("www", &www, "/", false)]);
    bench.proxy.put(&whole).await.unwrap();
    bench.proxy.confirm(&whole, PATIENCE).await.unwrap();
    assert_eq!(bench.get("whole.localhost", "/").await.0, 200);
    assert_eq!(bench.get("half.localhost", "/").await.0, 404);
    assert_eq!(bench.errors().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_the_proxy_does_not_serve_is_not_confirmed() {
    let bench = Bench::running().await;
    let (www, other) = (Backend::start("www").await, Backend::start("other").await);
    let site = routes("shop", vec![service("www", &www, "/", false)]);
    let short = Duration::from_millis(300);
    let error = bench.proxy.confirm(&site, short).await.unwrap_err();
    assert!(error.to_string().contains("shop-www is not among its services"), "{error}");

    bench.proxy.put(&site).await.unwrap();
    bench.proxy.confirm(&site, PATIENCE).await.unwrap();
    let elsewhere = routes("shop", vec![service("www", &other, "/", false)]);
    let error = bench.proxy.confirm(&elsewhere, short).await.unwrap_err();
    assert!(error.to_string().contains(&www.port.to_string()), "{error}");
    let mut more_hosts = site.clone();
    more_hosts.hosts.push("shop.example.org".into());
    assert!(bench.proxy.confirm(&more_hosts, short).await.is_err());
}

#[tokio::test]
async fn a_proxy_that_is_down_is_not_waited_for_longer_than_asked() {
    let bench = Bench::idle();
    let www = Backend::start("www").await;
    let site = routes("shop", vec![service("www", &www, "/", false)]);
    assert!(bench.proxy.ping().await.is_err());
    let error = bench.proxy.confirm(&site, Duration::from_millis(200)).await.unwrap_err();
    assert!(matches!(error, proxy::Error::NotFollowed { .. }), "{error}");
}
