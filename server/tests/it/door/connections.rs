//! Clients that are slow, silent or many.

use crate::support::{App, Setup, until};
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// The program, with nobody whose word on addresses is taken.
async fn start() -> App {
    let setup = Setup::new().await.without_docker().arguments(&["serve", "--roles", "web"]);
    setup.set("TRUSTED_PROXIES", "none").start().await
}

/// A connection from one of this machine's many addresses.
async fn connect(app: &App, from: Ipv4Addr) -> TcpStream {
    let to: SocketAddr = app.setup.get("LISTEN").parse().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    socket.connect(to).await.unwrap()
}

/// How long it takes until the other side hangs up, and what it said before.
async fn until_closed(stream: &mut TcpStream, limit: Duration) -> Option<String> {
    let mut said = Vec::new();
    let read = tokio::time::timeout(limit, stream.read_to_end(&mut said)).await;
    read.is_ok().then(|| String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test]
async fn a_thousand_idle_connections_hold_up_nobody() {
    let app = start().await;
    let mut idle = Vec::new();
    for n in 0..1_000_u32 {
        let mut stream = connect(&app, Ipv4Addr::from_bits(0x7f01_0000 + n / 200)).await;
        match n % 3 {
            0 => {}
            1 => stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap(),
            _ => stream.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap(),
        }
        idle.push(stream);
    }
    for _ in 0..20 {
        let begun = Instant::now();
        let answer = app.client.get(format!("{}/sign-in", app.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    // Each had its time to say what it wants.
    for stream in &mut idle {
        assert!(until_closed(stream, Duration::from_mins(1)).await.is_some(), "it is still open");
    }
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_leaves_room_for_others() {
    let app = start().await;
    let greedy = Ipv4Addr::new(127, 9, 9, 9);
    let mut open = Vec::new();
    for _ in 0..256 {
        open.push(connect(&app, greedy).await);
    }
    let mut refused = connect(&app, greedy).await;
    assert_eq!(until_closed(&mut refused, Duration::from_secs(10)).await.as_deref(), Some(""));
    assert_eq!(app.client.get(format!("{}/health", app.url)).send().await.unwrap().status(), 200);
    drop(open);
    until("the places are free again", async || {
        let mut stream = connect(&app, greedy).await;
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.ok()?;
        let said = until_closed(&mut stream, Duration::from_secs(10)).await?;
        said.starts_with("HTTP/1.1 200").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_head_that_is_too_long_and_a_body_that_stops_are_told_so() {
    let app = start().await;
    let mut many = connect(&app, Ipv4Addr::LOCALHOST).await;
    let lines: String = (0..200).fold(String::new(), |lines, n| lines + &format!("X-{n}: x\r\n"));
    many.write_all(format!("GET /health HTTP/1.1\r\nHost: x\r\n{lines}\r\n").as_bytes()).await.unwrap();
    assert!(until_closed(&mut many, Duration::from_secs(10)).await.unwrap().starts_with("HTTP/1.1 431"));

    let mut slow = connect(&app, Ipv4Addr::LOCALHOST).await;
    let head =
        "POST /api/v1/auth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut said = [0; 64];
    let read = tokio::time::timeout(Duration::from_secs(25), slow.read(&mut said)).await.unwrap().unwrap();
    assert!(said[..read].starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&said[..read]));

    let mut kept = connect(&app, Ipv4Addr::LOCALHOST).await;
    kept.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let said = until_closed(&mut kept, Duration::from_secs(40)).await;
    assert!(said.expect("a connection that waits is closed").starts_with("HTTP/1.1 200"));
}
