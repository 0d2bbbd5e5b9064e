//! Twenty redeploys under every kind of visitor: not one request is lost.

use crate::{
    pipeline::Site,
    support::{Setup, until},
};
use futures::{SinkExt, StreamExt};
use reqwest::Client;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};

const DOCKERFILE: &str =
    "FROM debian:bookworm-slim\nCOPY . /srv\nUSER nobody\nWORKDIR /srv\nCMD [\"perl\", \"serve.pl\"]\n";
const MANIFEST: &str = "[services.www]\nbuild = \".\"\nport = 8080\n";
/// A process for each connection, kept open between requests: `/slow` thinks for 2 s, `/stream` speaks for 2 s,
/// `/upload` answers how much came, `/busy` that it will not. Told to end, it takes no new connections and lets the processes finish.
const SERVER: &str = r#"use IO::Socket::INET;
$SIG{CHLD} = 'IGNORE';
my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 128, ReuseAddr => 1) or die;
$SIG{TERM} = sub { close $s; 1 while wait != -1; exit 0 };
while (1) {
  my $c = $s->accept or next;
  if (fork) { close $c; next }
  $SIG{TERM} = 'IGNORE'; close $s; $c->autoflush(1);
  while (defined(my $line = <$c>)) {
    my ($path) = $line =~ m{^\w+ (\S+)} or last;
    my ($length, $close) = (0, 0);
    while (<$c>) {
      last if /^\r?\n$/;
      $length = $1 if /^content-length: (\d+)/i;
      $close = 1 if /^connection: close/i;
    }
    my $got = 0;
    while ($got < $length) { my $n = read($c, my $part, $length - $got) or last; $got += $n }
    if ($path eq '/stream') {
      print $c "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
      for (1 .. 10) { print $c "4\r\npart\r\n"; select(undef, undef, undef, 0.2) }
      print $c "0\r\n\r\n";
    } else {
      sleep 2 if $path eq '/slow';
      my $body = $path eq '/upload' ? "got $got" : 'answer';
      my $status = $path eq '/busy' ? '503 Busy' : '200 OK';
      print $c "HTTP/1.1 $status\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
    }
    last if $close;
  }
  exit 0;
}
"#;
const UPLOAD: usize = 300_000;

/// What went wrong for a visitor, and how many were served.
#[derive(Default)]
struct Visits {
    stop: AtomicBool,
    served: AtomicUsize,
    failures: Mutex<Vec<String>>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Kept,
    Fresh,
    Slow,
    Upload,
    Stream,
}

async fn visit(client: &Client, proxy: &str, host: &str, kind: Kind) -> Result<(), String> {
    let (request, wanted) = match kind {
        Kind::Kept | Kind::Fresh => (client.get(proxy), "answer".to_owned()),
        Kind::Slow => (client.get(format!("{proxy}/slow")), "answer".to_owned()),
        Kind::Upload => (client.post(format!("{proxy}/upload")).body(vec![7; UPLOAD]), format!("got {UPLOAD}")),
        Kind::Stream => (client.get(format!("{proxy}/stream")), "part".repeat(10)),
    };
    let answer = request.header("host", host).send().await.map_err(|e| format!("{kind:?}: {e:?}"))?;
    let status = answer.status();
    let text = answer.text().await.map_err(|e| format!("{kind:?}: {e:?}"))?;
    if status.is_success() && text == wanted { Ok(()) } else { Err(format!("{kind:?}: {status} {text}")) }
}

fn visitors(visits: &Arc<Visits>, proxy: &str, host: &str) -> Vec<tokio::task::JoinHandle<()>> {
    [Kind::Kept, Kind::Fresh, Kind::Slow, Kind::Slow, Kind::Upload, Kind::Stream]
        .into_iter()
        .map(|kind| {
            let (visits, proxy, host) = (visits.clone(), proxy.to_owned(), host.to_owned());
            let kept = usize::from(!matches!(kind, Kind::Fresh));
            let client = Client::builder().pool_max_idle_per_host(kept).build().unwrap();
            tokio::spawn(async move {
                while !visits.stop.load(Ordering::Relaxed) {
                    match visit(&client, &proxy, &host, kind).await {
                        Ok(()) => _ = visits.served.fetch_add(1, Ordering::Relaxed),
                        Err(failure) => visits.failures.lock().unwrap().push(failure),
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            })
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_redeploys_lose_no_request_of_any_kind() {
    let site = Site::live_on(Setup::new().await.set("DRAIN_SECONDS", "3")).await;
    site.commit(&[("Dockerfile", DOCKERFILE), ("serve.pl", SERVER), ("webmeteor.toml", MANIFEST)]).await;
    let first = site.deploy().await;
    assert_eq!(site.ended(&first).await["status"], "live");
    let visits = Arc::new(Visits::default());
    let tasks = visitors(&visits, &site.app.proxy(), &format!("{}.localhost", site.slug));
    let mut last = first;
    for number in 0..20 {
        site.commit(&[("number", &number.to_string())]).await;
        last = site.deploy().await;
        let ended = site.ended(&last).await;
        assert_eq!(ended["status"], "live", "{ended:#}");
    }
    site.until_settled().await;
    visits.stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let failures = std::mem::take(&mut *visits.failures.lock().unwrap());
    assert!(failures.is_empty(), "{} failed: {:#?}", failures.len(), &failures[..failures.len().min(5)]);
    assert!(visits.served.load(Ordering::Relaxed) > 300);
    assert_eq!(site.show(&last).await["watch"]["failed_requests"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_pushes_the_newest_goes_live_and_those_between_give_way() {
    let site = Site::live().await;
    let mut made = vec![];
    for number in 0..10 {
        site.commit(&[("index.html", &format!("<!doctype html><title>push {number}</title>"))]).await;
        made.push(site.deploy().await);
    }
    assert_eq!(site.ended(made.last().unwrap()).await["status"], "live");
    site.until_page("push 9").await;
    let mut superseded = 0;
    for deployment in &made {
        let ended = site.ended(deployment).await;
        match ended["status"].as_str().unwrap() {
            "superseded" => superseded += 1,
            "live" => {}
            _ => panic!("{ended:#}"),
        }
    }
    assert!(superseded >= 5, "{superseded} gave way");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_fail_in_the_switch_are_counted_with_the_deployment() {
    let site = Site::live().await;
    site.commit(&[("Dockerfile", DOCKERFILE), ("serve.pl", SERVER), ("webmeteor.toml", MANIFEST)]).await;
    let deployment = site.deploy().await;
    assert_eq!(site.ended(&deployment).await["status"], "live");
    let host = format!("{}.localhost", site.slug);
    for _ in 0..3 {
        let busy = site.app.client.get(format!("{}/busy", site.app.proxy())).header("host", &host);
        assert_eq!(busy.send().await.unwrap().status(), 503);
    }
    let failed = async || site.show(&deployment).await["watch"]["failed_requests"].as_i64();
    until("three that failed", async || failed().await.filter(|count| *count == 3)).await;
}

const SOCKETS: &str = "[services.www]\nimage = \"webmeteor/alert:latest\"\nport = 3001\n\
                       healthcheck = { path = \"/health\" }\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_stays_until_the_drains_end_and_is_told_that_its_server_goes_away() {
    let drain = Duration::from_secs(3);
    let site = Site::live_on(Setup::new().await.set("DRAIN_SECONDS", "3")).await;
    site.commit(&[("webmeteor.toml", SOCKETS)]).await;
    assert_eq!(site.ended(&site.deploy().await).await["status"], "live");
    site.until_settled().await;

    let address = site.app.proxy().replace("http:", "ws:");
    let mut request = format!("{address}/socket.io/?EIO=4&transport=websocket").into_client_request().unwrap();
    let host = format!("{}.localhost", site.slug);
    request.headers_mut().insert("host", host.parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    socket.send("40".into()).await.unwrap();

    let next = site.deploy().await;
    assert_eq!(site.ended(&next).await["status"], "live");
    let live = Instant::now();
    let closed = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(ping))) if ping == "2" => socket.send("3".into()).await.unwrap(),
                Some(Ok(Message::Close(reason))) => return reason,
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    });
    let reason = closed.await.unwrap();
    assert_eq!(reason.map(|reason| u16::from(reason.code)), Some(1001));
    assert!(live.elapsed() + Duration::from_secs(1) > drain, "closed after {:?}", live.elapsed());
}
