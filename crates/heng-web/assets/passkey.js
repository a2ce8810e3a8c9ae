// Passkeys: signing in, adding one; and signing keys that the browser holds itself.
'use strict';
(function () {
  function bytes(text) {
    var plain = text.replace(/-/g, '+').replace(/_/g, '/');
    var raw = atob(plain + '==='.slice((plain.length + 3) % 4));
    var out = new Uint8Array(raw.length);
    for (var i = 0; i < raw.length; i += 1) { out[i] = raw.charCodeAt(i); }
    return out;
  }
  function text(buffer, url) {
    var raw = '';
    new Uint8Array(buffer).forEach(function (b) { raw += String.fromCharCode(b); });
    var out = btoa(raw);
    return url === false ? out : out.replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  }
  function send(address, body) {
    return fetch(address, { method: 'POST', credentials: 'same-origin', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body || {}) })
      .then(function (response) { return response.json().then(function (json) { if (!response.ok) { throw new Error(json.error); } return json; }); });
  }
  function decode(options) {
    var key = options.publicKey;
    key.challenge = bytes(key.challenge);
    if (key.user) { key.user.id = bytes(key.user.id); }
    ['excludeCredentials', 'allowCredentials'].forEach(function (list) {
      (key[list] || []).forEach(function (entry) { entry.id = bytes(entry.id); });
    });
    return { publicKey: key };
  }
  function encode(credential) {
    var r = credential.response;
    var out = { id: credential.id, rawId: text(credential.rawId), type: credential.type, extensions: credential.getClientExtensionResults ? credential.getClientExtensionResults() : {}, response: { clientDataJSON: text(r.clientDataJSON) } };
    if (r.attestationObject) { out.response.attestationObject = text(r.attestationObject); if (r.getTransports) { out.response.transports = r.getTransports(); } }
    if (r.authenticatorData) { out.response.authenticatorData = text(r.authenticatorData); out.response.signature = text(r.signature); out.response.userHandle = r.userHandle ? text(r.userHandle) : null; }
    return out;
  }

  var form = document.getElementById('passkey');
  if (form) {
    form.addEventListener('submit', function (event) {
      event.preventDefault();
      var status = document.getElementById('passkey-status');
      var label = form.querySelector('input[name="label"]');
      var id;
      send(form.getAttribute('data-begin'))
        .then(function (begun) {
          id = begun.id;
          var options = decode(begun.options);
          return form.getAttribute('data-mode') === 'create' ? navigator.credentials.create(options) : navigator.credentials.get(options);
        })
        .then(function (credential) {
          return send(form.getAttribute('action'), { id: id, answer: encode(credential), label: label ? label.value : '', onward: form.getAttribute('data-onward') });
        })
        .then(function (done) { window.location.assign(done.to); })
        .catch(function (error) {
          status.textContent = error && error.name === 'NotAllowedError' ? form.getAttribute('data-cancelled') : (error.message || form.getAttribute('data-cancelled'));
        });
    });
  }

  // A key that this browser makes and never gives away: only its public half is sent.
  var HEAD = '302e020100300506032b657004220420';
  function pkcs8(seed) {
    var head = HEAD.match(/../g).map(function (pair) { return parseInt(pair, 16); });
    var out = new Uint8Array(48);
    out.set(head); out.set(seed, 16);
    return out;
  }
  function publicOf(seed) {
    return crypto.subtle.importKey('pkcs8', pkcs8(seed), { name: 'Ed25519' }, true, ['sign'])
      .then(function (key) { return crypto.subtle.exportKey('jwk', key); })
      .then(function (jwk) { return bytes(jwk.x); });
  }
  function fingerprint(raw) {
    return crypto.subtle.digest('SHA-256', raw).then(function (hash) {
      var hex = Array.prototype.map.call(new Uint8Array(hash), function (b) { return ('0' + b.toString(16)).slice(-2); }).join('').slice(0, 16);
      return hex.match(/..../g).join('-');
    });
  }
  function store(seed, raw) {
    return fingerprint(raw).then(function (print) { localStorage.setItem('heng-key:' + print, text(seed, false)); return print; });
  }
  Array.prototype.forEach.call(document.querySelectorAll('form.browser-key'), function (form) {
    form.addEventListener('submit', function (event) {
      event.preventDefault();
      var status = form.querySelector('.browser-key-status');
      var seed = crypto.getRandomValues(new Uint8Array(32));
      publicOf(seed)
        .then(function (raw) { form.querySelector('input[name="public"]').value = text(raw, false); return store(seed, raw); })
        .then(function (print) { status.textContent = form.getAttribute('data-made') + ' ' + print; HTMLFormElement.prototype.submit.call(form); })
        .catch(function () { status.textContent = form.getAttribute('data-failed'); });
    });
  });
  Array.prototype.forEach.call(document.querySelectorAll('form.import-key'), function (form) {
    form.addEventListener('submit', function (event) {
      event.preventDefault();
      var status = form.querySelector('.import-key-status');
      var typed = form.querySelector('input[name="seed"]').value.trim();
      var seed = /^[0-9a-f]{64}$/i.test(typed) ? new Uint8Array(typed.match(/../g).map(function (pair) { return parseInt(pair, 16); })) : null;
      if (!seed) { status.textContent = form.getAttribute('data-failed'); return; }
      publicOf(seed)
        .then(function (raw) { return store(seed, raw); })
        .then(function (print) { form.querySelector('input[name="seed"]').value = ''; status.textContent = form.getAttribute('data-done') + ' ' + print; })
        .catch(function () { status.textContent = form.getAttribute('data-failed'); });
    });
  });
}());
