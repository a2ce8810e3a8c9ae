//! Witness cosignatures (C2SP tlog-cosignature v1): “as of this time, the largest tree I saw has this root”.

use crate::note::{KeyKind, Note, NoteError, SignerKey, VerifierKey};

fn message(text: &str, unix_seconds: u64) -> String {
    format!("cosignature/v1\ntime {unix_seconds}\n{text}")
}

/// Adds a cosignature of a witness to a checkpoint.
///
/// # Errors
/// If the key is not a witness's.
pub fn cosign(note: &mut Note, signer: &SignerKey, unix_seconds: u64) -> Result<(), NoteError> {
    let key = signer.verifier();
    if key.kind() != KeyKind::CosignatureV1 {
        return Err(NoteError::Key("a log's key signs, it does not cosign"));
    }
    let mut bytes = unix_seconds.to_be_bytes().to_vec();
    bytes.extend(signer.sign_bytes(message(&note.text, unix_seconds).as_bytes()));
    note.put(&key, bytes);
    Ok(())
}

/// Checks a witness's cosignature and returns its time, in seconds since 1970.
///
/// # Errors
/// [`NoteError::Missing`] or [`NoteError::Wrong`].
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
        if !key.check(message(&note.text, time).as_bytes(), &signature) {
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
    use crate::note::sign;

    #[test]
    fn a_cosignature_binds_time_and_text() {
        let log = SignerKey::from_seed("heng.example/log", KeyKind::Ed25519, [1; 32]).unwrap();
        let witness = SignerKey::from_seed("witness.example", KeyKind::CosignatureV1, [2; 32]).unwrap();
        let mut note = sign("heng.example/log\n1\nx\n", &log).unwrap();
        cosign(&mut note, &witness, 1_700_000_000).unwrap();
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
}
