//! A running service, a browser on its long-polling transport, a channel of the test database.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use alert::{Settings, serve};
use futures::{SinkExt, StreamExt};
use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message as Frame};

/// Longer than anything here takes; reached only by a failing test.
const PATIENCE: Duration = Duration::from_secs(15);

/// The service on a port of its own.
pub struct Service {
    url: String,
    http: Client,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Service {
    /// Starts it with these environment variables.
    pub async fn start(environment: &[(&str, &str)]) -> Self {
        let settings = Settings::from_lookup(|name| {
            let found = environment.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
        .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let until = async move {
                stopped.await.ok();
            };
            serve(listener, settings, until).await.unwrap();
        });
        let http = client();
        Self { url, http, stop: Some(stop), task }
    }

    /// Status and JSON of a GET.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// A POST of JSON, to be sent.
    pub fn post(&self, path: &str, body: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url)).header("Content-Type", "application/json").body(body.to_owned())
    }

    /// Status and JSON of `POST /emit`.
    pub async fn emit(&self, message: &str) -> (u16, Value) {
        let answer = self.post("/emit", message).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Waits until notifications arrive.
    pub async fn until_listening(&self) {
        timeout(PATIENCE, async {
            while self.get("/health").await.1["database"] != "listening" {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .expect("the service listens to the database");
    }

    /// What SIGTERM does.
    pub fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has ended.
    pub async fn ended(self) {
        self.task.await.unwrap();
    }
}

/// A Socket.IO client (protocol 5, Engine.IO 4) on the long-polling transport.
#[derive(Debug)]
pub struct Browser {
    url: String,
    http: Client,
    received: VecDeque<String>,
    asked: u32,
}

impl Browser {
    /// Connects without a token.
    pub async fn connect(service: &Service) -> Self {
        Self::try_connect(service, &Value::Null).await.unwrap()
    }

    /// Connects with this `auth`; refused, it returns what the server said.
    pub async fn try_connect(service: &Service, auth: &Value) -> Result<Self, Value> {
        let http = client();
        let url = format!("{}/socket.io/?EIO=4&transport=polling", service.url);
        let open = http.get(&url).send().await.unwrap().text().await.unwrap();
        let open: Value = serde_json::from_str(open.strip_prefix('0').unwrap()).unwrap();
        let mut browser = Self {
            url: format!("{url}&sid={}", open["sid"].as_str().unwrap()),
            http,
            received: VecDeque::new(),
            asked: 0,
        };
        let auth = if auth.is_null() { String::new() } else { auth.to_string() };
        browser.send(format!("40{auth}")).await;
        let packet = browser.next_packet().await;
        if let Some(refusal) = packet.strip_prefix("44") {
            return Err(serde_json::from_str(refusal).unwrap());
        }
        assert!(packet.starts_with("40"), "{packet}");
        Ok(browser)
    }

    /// Emits with one argument and returns the acknowledgement.
    pub async fn ask(&mut self, event: &str, argument: &Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.send(format!("42{id}{}", json!([event, argument]))).await;
        let packet = self.next_packet().await;
        let answer = packet.strip_prefix(&format!("43{id}")).expect(&packet);
        serde_json::from_str::<Value>(answer).unwrap()[0].take()
    }

    /// The next event: its name and its arguments.
    pub async fn next_event(&mut self) -> Value {
        let packet = self.next_packet().await;
        serde_json::from_str(packet.strip_prefix("42").expect(&packet)).unwrap()
    }

    /// The next packet that is no ping.
    pub async fn next_packet(&mut self) -> String {
        loop {
            if let Some(packet) = self.received.pop_front() {
                if packet == "2" {
                    self.send("3".to_owned()).await;
                    continue;
                }
                return packet;
            }
            let poll = async { self.http.get(&self.url).send().await?.text().await };
            let body = timeout(PATIENCE, poll).await.expect("a packet").unwrap();
            self.received.extend(body.split('\u{1e}').map(str::to_owned));
        }
    }

    async fn send(&self, packet: String) {
        let answer = self.http.post(&self.url).body(packet).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "ok");
    }
}

/// The same on a WebSocket from the start, and the code that it was closed with.
pub struct WebSocket(WebSocketStream<MaybeTlsStream<TcpStream>>, Option<u16>);

impl WebSocket {
    /// Connects without a token.
    pub async fn connect(service: &Service) -> Self {
        let url = service.url.replace("http:", "ws:");
        let url = format!("{url}/socket.io/?EIO=4&transport=websocket");
        let (stream, _) = connect_async(url).await.unwrap();
        let mut socket = Self(stream, None);
        assert!(socket.next_packet().await.unwrap().starts_with("0{"));
        socket.0.send("40".into()).await.unwrap();
        assert!(socket.next_packet().await.unwrap().starts_with("40{"));
        socket
    }

    /// The next packet that is no ping; `None` once the server has closed.
    pub async fn next_packet(&mut self) -> Option<String> {
        loop {
            let frame = timeout(PATIENCE, self.0.next()).await.expect("a packet");
            match frame?.ok()? {
                Frame::Text(packet) if packet == "2" => self.0.send("3".into()).await.unwrap(),
                Frame::Text(packet) => return Some(packet.to_string()),
                Frame::Close(reason) => {
                    self.1 = reason.map(|reason| reason.code.into());
                    return None;
                }
                _ => {}
            }
        }
    }

    /// The code that the server closes with; `None` if it gives none.
    pub async fn closed_with(&mut self) -> Option<u16> {
        while self.1.is_none() && self.next_packet().await.is_some() {}
        self.1
    }
}

/// A notification channel of the test database that no other test uses.
pub struct Channel {
    name: String,
    url: String,
    database: PgConnection,
}

impl Channel {
    /// Needs `DATABASE_URL`.
    pub async fn open() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let url = std::env::var("DATABASE_URL").expect("DATABASE_URL must name a PostgreSQL database for these tests");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self {
            name: format!("alert test {} {number}", std::process::id()),
            database: PgConnection::connect(&url).await.unwrap(),
            url,
        }
    }

    /// The settings of a service that listens to it.
    pub fn environment(&self) -> [(&str, &str); 2] {
        [("DATABASE_URL", &self.url), ("ALERT_CHANNEL", &self.name)]
    }

    /// Sends a notification.
    pub async fn notify(&mut self, payload: &str) {
        sqlx::query("SELECT pg_notify($1, $2)")
            .bind(&self.name)
            .bind(payload)
            .execute(&mut self.database)
            .await
            .unwrap();
    }

    /// Ends the connection of the service that listens to it.
    pub async fn cut_off(&mut self) {
        let ended: Vec<bool> =
            sqlx::query_scalar("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = $1")
                .bind(format!("LISTEN \"{}\"", self.name))
                .fetch_all(&mut self.database)
                .await
                .unwrap();
        assert_eq!(ended, [true], "one service listens");
    }
}

/// A token that is valid for a minute.
pub fn token(secret: &str) -> String {
    let claims = json!({"sub": "ann", "exp": get_current_timestamp() + 60});
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::default(), &claims, &key).unwrap()
}

/// A port where nothing listens.
pub fn unused_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn client() -> Client {
    // Fails when another test of this process was first, which is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::builder().no_proxy().build().unwrap()
}
