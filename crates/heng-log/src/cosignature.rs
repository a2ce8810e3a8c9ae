//! Witness cosignatures (C2SP tlog-cosignature v1): “as of this time, the largest tree I saw has this root”.

use crate::checkpoint::Checkpoint;
use crate::note::{KeyKind, Note, NoteError, SignerKey, VerifierKey};

/// Greatest time, in seconds since 1970, that a cosignature may carry.
pub const MAX_TIME: u64 = (1 << 63) - 1;

fn message(text: &str, unix_seconds: u64) -> String {
    format!("cosignature/v1\ntime {unix_seconds}\n{text}")
}

/// Adds a witness's cosignature to a checkpoint; an earlier one of the same key is replaced. `unix_seconds` is the time
/// since 1970. The caller must have checked that this tree extends the largest one that the witness cosigned before.
///
/// # Errors
/// [`NoteError::Key`] for a log's key, [`NoteError::Checkpoint`] if the text is none, [`NoteError::Form`] for a time
/// beyond [`MAX_TIME`].
pub fn cosign(note: &mut Note, signer: &SignerKey, unix_seconds: u64) -> Result<(), NoteError> {
    let key = signer.verifier();
    if key.kind() != KeyKind::CosignatureV1 {
        return Err(NoteError::Key("a log's key signs, it does not cosign"));
    }
    Checkpoint::parse_text(&note.text)?;
    if unix_seconds > MAX_TIME {
        return Err(NoteError::Form("the time of a cosignature is below 2^63"));
    }
    let mut bytes = unix_seconds.to_be_bytes().to_vec();
    bytes.extend(signer.sign_bytes(message(&note.text, unix_seconds).as_bytes()));
    note.put(&key, bytes);
    Ok(())
}

/// Checks a witness's cosignature and returns its time, in seconds since 1970; of several the newest.
///
/// # Errors
/// [`NoteError::Missing`] or [`NoteError::Wrong`]; [`NoteError::Key`] for a log's key.
pub fn verify_cosignature(note: &Note, key: &VerifierKey) -> Result<u64, NoteError> {
    if key.kind() != KeyKind::CosignatureV1 {
        return Err(NoteError::Key("a log's key signs, it does not cosign"));
    }
    let mut newest = None;
    for line in note.lines_of(key) {
        let wrong = || NoteError::Wrong(key.name().to_owned());
        let (time, signature) = line.bytes.split_first_chunk::<8>().ok_or_else(wrong)?;
        let signature: [u8; 64] = signature.try_into().map_err(|_| wrong())?;
        let time = u64::from_be_bytes(*time);
        if time > MAX_TIME || !key.check(message(&note.text, time).as_bytes(), &signature) {
            return Err(wrong());
        }
        newest = newest.max(Some(time));
    }
    newest.ok_or_else(|| NoteError::Missing(key.name().to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Hash;
    use crate::note::sign;

    #[test]
    fn a_cosignature_binds_time_and_text() {
        let log = SignerKey::from_seed("heng.example/log", KeyKind::Ed25519, [1; 32]).unwrap();
        let witness = SignerKey::from_seed("witness.example", KeyKind::CosignatureV1, [2; 32]).unwrap();
        let text = Checkpoint { origin: "heng.example/log".to_owned(), size: 1, root: Hash::default() }.to_text();
        let mut note = sign(&text, &log).unwrap();
        cosign(&mut note, &witness, 1_600_000_000).unwrap();
        cosign(&mut note, &witness, 1_700_000_000).unwrap();
        assert_eq!(note.signatures.len(), 2);
        let read = Note::parse(&note.to_string()).unwrap();
        assert_eq!(verify_cosignature(&read, &witness.verifier()), Ok(1_700_000_000));
        assert!(read.verify(&log.verifier()).is_ok());
        let mut changed = read.clone();
        changed.signatures[1].bytes[7] ^= 1;
        assert!(verify_cosignature(&changed, &witness.verifier()).is_err());
        let mut other = read;
        other.text.push_str("more\n");
        assert!(verify_cosignature(&other, &witness.verifier()).is_err());
    }

    #[test]
    fn only_witnesses_cosign_and_only_checkpoints() {
        let log = SignerKey::from_seed("heng.example/log", KeyKind::Ed25519, [1; 32]).unwrap();
        let witness = SignerKey::from_seed("witness.example", KeyKind::CosignatureV1, [2; 32]).unwrap();
        let text = Checkpoint { origin: "heng.example/log".to_owned(), size: 1, root: Hash::default() }.to_text();
        let mut note = sign(&text, &log).unwrap();
        assert!(matches!(cosign(&mut note, &log, 5), Err(NoteError::Key(_))));
        assert!(matches!(verify_cosignature(&note, &log.verifier()), Err(NoteError::Key(_))));
        assert!(matches!(verify_cosignature(&note, &witness.verifier()), Err(NoteError::Missing(_))));
        assert!(cosign(&mut note, &witness, MAX_TIME).is_ok());
        assert!(cosign(&mut note, &witness, MAX_TIME + 1).is_err());
        let mut letter = sign("Dear all,\n", &log).unwrap();
        assert!(matches!(cosign(&mut letter, &witness, 5), Err(NoteError::Checkpoint(_))));
    }
}
