// Signs what the page shows: hashes the exact statement by itself, compares, and asks the passkey or the browser's own key.
'use strict';
(function () {
  var form = document.getElementById('sign');
  if (!form) { return; }
  var status = document.getElementById('sign-status');
  var list = JSON.parse(form.getAttribute('data-statements'));
  var log = form.getAttribute('data-log');

  function bytes(text) {
    var plain = text.replace(/-/g, '+').replace(/_/g, '/');
    var raw = atob(plain + '==='.slice((plain.length + 3) % 4));
    var out = new Uint8Array(raw.length);
    for (var i = 0; i < raw.length; i += 1) { out[i] = raw.charCodeAt(i); }
    return out;
  }
  function text(buffer) {
    var raw = '';
    new Uint8Array(buffer).forEach(function (b) { raw += String.fromCharCode(b); });
    return btoa(raw);
  }
  function hex(buffer) {
    return Array.prototype.map.call(new Uint8Array(buffer), function (b) { return ('0' + b.toString(16)).slice(-2); }).join('');
  }

  // The newest checkpoint that this device has seen: a log that shrinks, or shows another root for the same size, is not signed.
  function known(at) {
    var key = 'heng-seen:' + log;
    var seen = null;
    try { seen = JSON.parse(localStorage.getItem(key) || 'null'); } catch (e) { seen = null; }
    if (seen && (at.size < seen.size || (at.size === seen.size && at.root !== seen.root))) { return false; }
    try { localStorage.setItem(key, JSON.stringify(at)); } catch (e) { /* a private window remembers nothing */ }
    return true;
  }

  function withPasskey(hash) {
    var options = { challenge: hash, rpId: form.getAttribute('data-rp'), userVerification: 'required', timeout: 120000 };
    var credential = form.getAttribute('data-credential');
    if (credential) { options.allowCredentials = [{ type: 'public-key', id: bytes(credential) }]; }
    return navigator.credentials.get({ publicKey: options }).then(function (found) {
      var r = found.response;
      return { s: text(r.signature), ad: text(r.authenticatorData), cd: text(r.clientDataJSON) };
    });
  }

  function withKey(hash) {
    var seed = localStorage.getItem('heng-key:' + form.getAttribute('data-key'));
    if (!seed) { return Promise.reject(new Error(form.getAttribute('data-no-key'))); }
    var head = '302e020100300506032b657004220420'.match(/../g).map(function (pair) { return parseInt(pair, 16); });
    var pkcs8 = new Uint8Array(48);
    pkcs8.set(head); pkcs8.set(bytes(seed), 16);
    return crypto.subtle.importKey('pkcs8', pkcs8, { name: 'Ed25519' }, false, ['sign'])
      .then(function (key) { return crypto.subtle.sign({ name: 'Ed25519' }, key, hash); })
      .then(function (signature) { return { s: text(signature) }; });
  }

  form.addEventListener('submit', function (event) {
    event.preventDefault();
    var button = form.querySelector('button');
    button.disabled = true;
    status.textContent = '…';
    var out = [];
    list.reduce(function (before, statement) {
      return before.then(function () {
        if (!known(statement.at)) { throw new Error(form.getAttribute('data-changed')); }
        return crypto.subtle.digest('SHA-256', new TextEncoder().encode(statement.text));
      }).then(function (hash) {
        if (hex(hash) !== statement.hash) { throw new Error(form.getAttribute('data-mismatch')); }
        return form.getAttribute('data-alg') === 'ed25519' ? withKey(hash) : withPasskey(hash);
      }).then(function (signature) {
        signature.at = statement.at;
        out.push(signature);
      });
    }, Promise.resolve()).then(function () {
      form.querySelector('input[name="signatures"]').value = JSON.stringify(out);
      HTMLFormElement.prototype.submit.call(form);
    }).catch(function (error) {
      button.disabled = false;
      status.textContent = error && error.name === 'NotAllowedError' ? form.getAttribute('data-cancelled') : error.message;
    });
  });
}());
