//! Pages, JSON and live streams: HTTP in, HTML out. Holds no rule: what may be seen and done is decided below.

pub mod assets;
pub mod ui;

use std::sync::Arc;

use heng_app::Heng;

/// Serves the portal.
///
/// # Errors
/// If the listener fails.
pub async fn serve(heng: Arc<Heng>, listener: tokio::net::TcpListener) -> std::io::Result<()> {
    let _ = (heng, listener);
    Ok(())
}
