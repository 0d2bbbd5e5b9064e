//! Asks the DNS for texts.

use crate::Settings;
use hickory_resolver::{
    TokioResolver,
    config::{NameServerConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::rr::RData,
};
use std::time::Duration;

/// One answer may take so long, and be asked for so often.
const ANSWER: Duration = Duration::from_secs(3);
const ATTEMPTS: usize = 2;
/// All of it may.
const PATIENCE: Duration = Duration::from_secs(10);

/// The texts of all TXT records at this name; none where there are none.
///
/// # Errors
/// Why no answer was to be had.
pub(super) async fn texts(settings: &Settings, name: &str) -> Result<Vec<String>, String> {
    let resolver = resolver(settings).map_err(|e| e.to_string())?;
    // With a dot at its end the name is whole: the machine's own domain is not tried behind it.
    let asked = resolver.txt_lookup(format!("{name}."));
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(found)) => Ok(found.answers().iter().filter_map(|record| text(&record.data)).collect()),
        Ok(Err(error)) if error.is_no_records_found() => Ok(vec![]),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer came in time".to_owned()),
    }
}

/// A long text is kept in pieces (RFC 7208, section 3.3, says the same for SPF).
fn text(data: &RData) -> Option<String> {
    let RData::TXT(text) = data else { return None };
    Some(String::from_utf8_lossy(&text.txt_data.concat()).into_owned())
}

/// Made anew for each look, and without a memory: what a person has just set is not to be hidden by what was there.
fn resolver(settings: &Settings) -> Result<TokioResolver, NetError> {
    let mut builder = match settings.dns_server {
        None => TokioResolver::builder_tokio()?,
        Some(server) => {
            let mut name_server = NameServerConfig::udp_and_tcp(server.ip());
            for connection in &mut name_server.connections {
                connection.port = server.port();
            }
            let config = ResolverConfig::from_name_servers(vec![name_server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    (options.timeout, options.attempts, options.cache_size) = (ANSWER, ATTEMPTS, 0);
    builder.build()
}
