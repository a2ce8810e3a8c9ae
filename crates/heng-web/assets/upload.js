// Sends a file in pieces and goes on after any interruption. Without this script the form sends the whole file at once.
'use strict';
(function () {
  var place = document.getElementById('upload');
  var form = place && place.querySelector('form');
  if (!form || !window.fetch || !window.File || !File.prototype.slice) { return; }
  var bar = document.getElementById('upload-progress');
  var status = document.getElementById('upload-status');
  var begin = place.getAttribute('data-begin');
  var base = begin.replace(/\/begin$/, '');
  var size = Number(place.getAttribute('data-piece'));

  function json(response) {
    return response.json().then(function (body) {
      if (!response.ok) { var error = new Error(body.error); error.answer = body; error.fatal = response.status !== 409 && response.status < 500; throw error; }
      return body;
    });
  }
  function post(address, body) {
    return fetch(address, { method: 'POST', credentials: 'same-origin', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }).then(json);
  }
  function wait(ms) { return new Promise(function (done) { setTimeout(done, ms); }); }

  form.addEventListener('submit', function (event) {
    var file = form.querySelector('input[type="file"]').files[0];
    if (!file) { return; }
    event.preventDefault();
    var about = form.querySelector('select[name="about"]').value;
    var secret = form.querySelector('input[name="secret"]').checked;
    var key = 'heng-upload:' + base + ':' + file.name + ':' + file.size + ':' + file.lastModified;
    var button = form.querySelector('button');
    var delay = 1000;
    button.disabled = true;
    bar.hidden = false;

    function known() {
      var id = null;
      try { id = localStorage.getItem(key); } catch (e) { id = null; }
      if (!id) { return Promise.resolve(null); }
      return fetch(base + '/' + id, { credentials: 'same-origin' }).then(json).then(function (state) {
        status.textContent = place.getAttribute('data-resumed');
        return { id: id, received: state.received };
      }).catch(function (error) { if (error.fatal) { return null; } throw error; });
    }
    function start() {
      return known().then(function (old) {
        if (old) { return old; }
        return post(begin, { name: file.name, size: file.size, about: about }).then(function (fresh) {
          try { localStorage.setItem(key, fresh.id); } catch (e) { /* it then begins anew after an interruption */ }
          return fresh;
        });
      });
    }
    function send(upload) {
      if (upload.received >= file.size) { return upload; }
      var at = upload.received;
      return fetch(base + '/' + upload.id + '?offset=' + at, { method: 'PUT', credentials: 'same-origin', headers: { 'Content-Type': 'application/octet-stream' }, body: file.slice(at, at + size) })
        .then(json)
        .then(function (answer) {
          delay = 1000;
          upload.received = answer.received;
        }, function (error) {
          if (error.answer && error.answer.received !== null && error.answer.received !== undefined) { upload.received = error.answer.received; return undefined; }
          if (error.fatal) { throw error; }
          status.textContent = place.getAttribute('data-waiting');
          delay = Math.min(delay * 2, 30000);
          return wait(delay);
        })
        .then(function () {
          bar.value = Math.round(100 * upload.received / file.size);
          status.textContent = place.getAttribute('data-going') + ' ' + bar.value + '%';
          return send(upload);
        });
    }

    start().then(send).then(function (upload) {
      status.textContent = place.getAttribute('data-hashing');
      return post(base + '/' + upload.id + '/finish', { about: about, secret: secret });
    }).then(function () {
      try { localStorage.removeItem(key); } catch (e) { /* nothing was kept */ }
      status.textContent = place.getAttribute('data-done');
      window.location.reload();
    }).catch(function (error) {
      if (error.fatal) { try { localStorage.removeItem(key); } catch (e) { /* nothing was kept */ } }
      button.disabled = false;
      status.textContent = error.message;
    });
  });
}());
