//! The office at work: memory images, one writer for each log, the signer, receipts, bundles and simulations.

pub mod account;
pub mod bundle;
pub mod carry;
pub mod chores;
pub mod clock;
pub mod desk;
pub mod doctor;
pub mod draft;
pub mod error;
pub mod hant;
pub mod heng;
pub mod jump;
pub mod keys;
pub mod library;
pub mod log;
pub mod mark;
pub mod once;
pub mod opening;
pub mod outbox;
pub mod post;
pub mod simulation;
pub mod upload;

pub use clock::{Clock, Entropy, ManualClock, OsEntropy, SeededEntropy, ShiftedClock, SystemClock};
pub use error::{AppError, Result};
pub use heng::{Heng, Place};
pub use log::{Accepted, Image, Log};
pub use outbox::{Outbox, OutboxError};
pub use upload::{UploadError, Uploads};
