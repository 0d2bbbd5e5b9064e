//! A DNS server on a free port of this machine, for tests: it knows TXT records, and nothing else.

use hickory_resolver::proto::{
    op::{Message, ResponseCode},
    rr::{RData, Record, RecordType, rdata::TXT},
};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{net::UdpSocket, task::JoinHandle};

type Texts = Arc<Mutex<HashMap<String, Vec<String>>>>;

/// The server; it ends with this.
pub struct DnsServer {
    /// Where it answers.
    pub address: SocketAddr,
    texts: Texts,
    asked: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl DnsServer {
    /// Starts it; it knows nothing yet.
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (address, texts) = (socket.local_addr().unwrap(), Texts::default());
        let asked = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(serve(socket, Arc::clone(&texts), Arc::clone(&asked)));
        Self { address, texts, asked, task }
    }

    /// Sets the texts at a name; none: there is no such name.
    pub fn set(&self, name: &str, texts: &[&str]) {
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        self.texts.lock().unwrap().insert(name.to_owned(), texts);
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(socket: UdpSocket, texts: Texts, asked: Arc<AtomicUsize>) {
    let mut buffer = [0; 1500];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let Ok(request) = Message::from_vec(&buffer[..length]) else { continue };
        let Some(query) = request.queries.first().cloned() else { continue };
        asked.fetch_add(1, Ordering::SeqCst);
        let name = query.name.to_ascii().trim_end_matches('.').to_lowercase();
        let known = texts.lock().unwrap().get(&name).cloned().unwrap_or_default();
        let mut answer = Message::response(request.metadata.id, request.metadata.op_code);
        answer.metadata.recursion_available = true;
        if known.is_empty() {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        if query.query_type == RecordType::TXT {
            for text in known {
                // In pieces, as long texts are kept.
                let (start, end) = text.split_at(text.len() / 2);
                let text = TXT::new(vec![start.to_owned(), end.to_owned()]);
                answer.add_answer(Record::from_rdata(query.name.clone(), 60, RData::TXT(text)));
            }
        }
        answer.add_query(query);
        let bytes = answer.to_vec().unwrap();
        socket.send_to(&bytes, from).await.unwrap();
    }
}
