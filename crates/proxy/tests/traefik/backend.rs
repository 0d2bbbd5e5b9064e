//! A service on the loopback that says who it is and what it was asked.

use std::net::{Ipv4Addr, SocketAddr};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

pub struct Backend {
    pub address: Ipv4Addr,
    pub port: u16,
    task: JoinHandle<()>,
}

impl Backend {
    /// Answers every request with `{name} {path} {host} {forwarded host}`, and echoes after an upgrade.
    pub async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(name, connection));
            }
        });
        Self { address: Ipv4Addr::LOCALHOST, port, task }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends with the connection, whoever ends it.
async fn serve(name: &str, connection: TcpStream) -> std::io::Result<()> {
    connection.set_nodelay(true)?;
    let mut connection = BufReader::new(connection);
    loop {
        let mut head = vec![];
        loop {
            let mut line = String::new();
            if connection.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            head.push(line.trim().to_owned());
        }
        let header = |name: &str| {
            let is = |line: &&String| line.to_lowercase().starts_with(&format!("{name}: "));
            head.iter().find(is).and_then(|line| line.split_once(": ")).map_or("-", |(_, value)| value)
        };
        if header("upgrade") == "websocket" {
            let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
            connection.get_mut().write_all(answer.as_bytes()).await?;
            let mut byte = [0];
            while connection.read(&mut byte).await? > 0 {
                connection.get_mut().write_all(&byte).await?;
            }
            return Ok(());
        }
        let path = head[0].split(' ').nth(1).unwrap_or_default();
        let body = format!("{name} {path} {} {}", header("host"), header("x-forwarded-host"));
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        connection.get_mut().write_all(answer.as_bytes()).await?;
    }
}
