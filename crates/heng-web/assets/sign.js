// Signs what the page shows: hashes the exact statement by itself, compares, and asks the passkey or the browser's own key.
// On the page of the check it only looks whether the log still begins with what somebody photographed.
'use strict';
(function () {
  var photographed = document.getElementById('photographed-proof');
  var form = document.getElementById('sign') || photographed;
  if (!form) { return; }
  var status = document.getElementById('sign-status');
  var list = JSON.parse(form.getAttribute('data-statements') || '[]');
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

  // What this device remembers of the log; a private window remembers nothing.
  function remembered(name) {
    try { return localStorage.getItem(name + log); } catch (e) { return null; }
  }
  function remember(name, value) {
    try { localStorage.setItem(name + log, value); } catch (e) { /* a private window */ }
  }
  function stop(why) { throw new Error(form.getAttribute(why)); }

  function unhex(digits) {
    return Uint8Array.from(digits.match(/../g) || [], function (pair) { return parseInt(pair, 16); });
  }
  function node(left, right) {
    var both = new Uint8Array(65);
    both[0] = 1; both.set(unhex(left), 1); both.set(unhex(right), 33);
    return crypto.subtle.digest('SHA-256', both).then(hex);
  }

  // RFC 9162 §2.1.4.2: whether the tree of `next` holds that of `old` unchanged.
  function consistent(old, next, proof) {
    if (old.size === 0) { return Promise.resolve(true); }
    if (old.size >= next.size) { return Promise.resolve(old.size === next.size && old.root === next.root); }
    var path = (old.size & (old.size - 1)) === 0 ? [old.root].concat(proof) : proof;
    var fn = old.size - 1, sn = next.size - 1;
    while (fn & 1) { fn >>= 1; sn >>= 1; }
    if (!path.length) { return Promise.resolve(false); }
    return path.slice(1).reduce(function (before, hash) {
      return before.then(function (at) {
        if (!at || sn === 0) { return null; }
        var joins = (fn & 1) === 1 || fn === sn;
        while (joins && (fn & 1) === 0 && fn !== 0) { fn >>= 1; sn >>= 1; }
        fn >>= 1; sn >>= 1;
        return joins
          ? Promise.all([node(hash, at[0]), node(hash, at[1])])
          : node(at[1], hash).then(function (right) { return [at[0], right]; });
      });
    }, Promise.resolve([path[0], path[0]])).then(function (at) {
      return Boolean(at) && sn === 0 && at[0] === old.root && at[1] === next.root;
    });
  }

  // A signed note (C2SP): its checkpoint, if the log's key signed it. The key is the one that this device saw first.
  function checkpoint(key, note) {
    var pinned = remembered('heng-log-key:');
    if (pinned && pinned !== key) { return Promise.reject(new Error(form.getAttribute('data-changed'))); }
    var end = note.indexOf('\n\n') + 1;
    var body = note.slice(0, end), lines = body.split('\n');
    var own = note.slice(end + 1).split('\n').find(function (line) { return line.indexOf('\u2014 ' + key.split('+')[0] + ' ') === 0; });
    if (!own || lines[0] !== log) { return Promise.reject(new Error(form.getAttribute('data-changed'))); }
    var found = { size: Number(lines[1]), root: hex(bytes(lines[2])) };
    var raw = bytes(key.split('+').slice(2).join('+')).slice(1), signature = bytes(own.split(' ').pop()).slice(4);
    return crypto.subtle.importKey('raw', raw, { name: 'Ed25519' }, false, ['verify']).then(function (imported) {
      return crypto.subtle.verify({ name: 'Ed25519' }, imported, signature, new TextEncoder().encode(body));
    }, function () { return true; /* an older browser knows no Ed25519: the tree is checked all the same */ }).then(function (holds) {
      if (!holds) { stop('data-changed'); }
      remember('heng-log-key:', key);
      return found;
    });
  }

  function growth(from) {
    return fetch(form.getAttribute('data-proof') + '?from=' + from, { credentials: 'same-origin' }).then(function (answer) {
      // The log has fewer records than this device has seen.
      if (answer.status === 409) { stop('data-changed'); }
      if (!answer.ok) { stop('data-unproven'); }
      return answer.json();
    }, function () { stop('data-unproven'); });
  }

  // What was seen, and what is about to be signed upon, must both be beginnings of the log as it is now.
  function verified(at) {
    var seen = JSON.parse(remembered('heng-seen:') || 'null') || { size: 0, root: '' };
    return [seen, at].reduce(function (before, old) {
      return before.then(function () { return growth(old.size); }).then(function (grown) {
        return checkpoint(grown.key, grown.note).then(function (now) {
          return consistent(old, now, grown.proof).then(function (holds) {
            if (!holds) { stop('data-changed'); }
            remember('heng-seen:', JSON.stringify(now));
          });
        });
      });
    }, Promise.resolve());
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

  // The printed code of a root: its first 160 bits in Crockford's base 32.
  function code(root) {
    var bits = root.slice(0, 40).replace(/./g, function (digit) { return ('000' + parseInt(digit, 16).toString(2)).slice(-4); });
    return bits.replace(/.{5}/g, function (five) { return '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.charAt(parseInt(five, 2)); });
  }

  if (photographed) {
    // A page without encryption has no means to hash; the server's sentence is all that there is then.
    if (!window.crypto || !crypto.subtle) { return; }
    var asked = new URLSearchParams(location.search);
    var typed = (asked.get('root') || '').replace(/[^0-9A-Za-z]/g, '').toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1');
    var old = JSON.parse(form.getAttribute('data-at')), grown = JSON.parse(form.getAttribute('data-grown'));
    checkpoint(grown.key, grown.note).then(function (now) {
      return typed === code(old.root) && Number(asked.get('size')) === old.size && consistent(old, now, grown.proof);
    }).then(function (holds) {
      if (!holds) { stop('data-changed'); }
      photographed.textContent = form.getAttribute('data-proven');
    }).catch(function (error) { photographed.textContent = error.message; });
    return;
  }

  form.addEventListener('submit', function (event) {
    event.preventDefault();
    var button = form.querySelector('button');
    button.disabled = true;
    status.textContent = '…';
    var out = [];
    list.reduce(function (before, statement) {
      return before.then(function () {
        return verified(statement.at);
      }).then(function () {
        return crypto.subtle.digest('SHA-256', new TextEncoder().encode(statement.text));
      }).then(function (hash) {
        if (hex(hash) !== statement.hash) { stop('data-mismatch'); }
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
