// Saves a form while it is filled in, also through a lost connection. Without this script the button "save" does the same.
'use strict';
(function () {
  // Characters typed, under each long answer.
  function count(form) {
    Array.prototype.forEach.call(form.querySelectorAll('textarea'), function (area) {
      var note = document.createElement('p');
      note.className = 'hint count';
      function tell() { note.textContent = form.getAttribute('data-count') + ' ' + Array.from(area.value).length; }
      area.addEventListener('input', tell);
      area.parentNode.appendChild(note);
      tell();
    });
  }
  var form = document.querySelector('form.act');
  var line = document.getElementById('saved');
  if (form) { count(form); }
  if (!form || !line || !window.fetch || !window.URLSearchParams) { return; }
  var version = form.querySelector('input[name="_version"]');
  var fields = form.querySelectorAll('input:not([type="hidden"]), textarea, select');
  if (!fields.length) { return; }
  var key = 'heng-draft:' + form.getAttribute('action') + window.location.search;
  var timer = null;
  var saving = false;
  var changed = false;
  var sent = false;
  var waiting = null;
  var delay = 1200;

  function say(text, state) {
    line.textContent = text;
    line.setAttribute('data-state', state || 'saved');
  }

  var part = form.querySelector('input[name="_part"]');

  function answers() {
    var data = new URLSearchParams();
    if (part) { data.append('_part', part.value); }
    Array.prototype.forEach.call(fields, function (field) {
      if (!field.name || ((field.type === 'checkbox' || field.type === 'radio') && !field.checked)) { return; }
      data.append(field.name, field.value);
    });
    return data;
  }

  // What the browser keeps until the server has it: the text survives a lost connection, a crash and a closed window.
  function keep() {
    try { localStorage.setItem(key, JSON.stringify({ version: version.value, text: answers().toString() })); } catch (e) { /* full or forbidden: the server still saves */ }
  }

  function forget() {
    try { localStorage.removeItem(key); } catch (e) { /* nothing was kept */ }
  }

  // Somebody saved something newer meanwhile: it stays, and what was typed here stands beside it.
  function beside(data) {
    var now = answers();
    var said = false;
    Array.prototype.forEach.call(form.querySelectorAll('textarea, input:not([type]), input[type="text"], input[type="date"], input[type="datetime-local"]'), function (field) {
      var typed = data.get(field.name);
      if (!typed || typed === now.get(field.name)) { return; }
      var box = document.createElement('div');
      var label = document.createElement('p');
      var text = document.createElement('p');
      box.className = 'theirs'; label.className = 'theirs-label'; text.className = 'typed';
      label.textContent = form.getAttribute('data-kept'); text.textContent = typed;
      box.appendChild(label); box.appendChild(text);
      (field.closest('.field') || field).insertAdjacentElement('afterend', box);
      said = true;
    });
    if (said) { say(form.getAttribute('data-kept'), 'conflict'); }
  }

  // What was sent is no draft any more; it stays in this window for somebody who comes back because it did not arrive.
  function leave() {
    keep();
    try { sessionStorage.setItem(key, localStorage.getItem(key)); } catch (e) { /* forbidden */ }
    forget();
  }

  function comesBack() {
    var entry = window.performance && performance.getEntriesByType ? performance.getEntriesByType('navigation')[0] : null;
    return Boolean(entry && entry.type !== 'navigate') || /\/(sign-in|demo)\b/.test(document.referrer);
  }

  function restore() {
    var kept = null;
    try {
      kept = JSON.parse(localStorage.getItem(key) || (comesBack() && sessionStorage.getItem(key)) || 'null');
      sessionStorage.removeItem(key);
    } catch (e) { kept = null; }
    if (!kept || kept.text === answers().toString()) { forget(); return; }
    if (kept.version !== version.value) { beside(new URLSearchParams(kept.text)); forget(); return; }
    var data = new URLSearchParams(kept.text);
    Array.prototype.forEach.call(fields, function (field) {
      if (!field.name) { return; }
      var values = data.getAll(field.name);
      if (field.type === 'checkbox' || field.type === 'radio') { field.checked = values.indexOf(field.value) >= 0; }
      else if (values.length) { field.value = values[0]; }
    });
    say(form.getAttribute('data-restored'), 'restored');
    changed = true;
    later();
  }

  function later(wait) {
    clearTimeout(timer);
    timer = setTimeout(save, wait || delay);
  }

  function save() {
    if (saving || !changed || sent) { return; }
    saving = true;
    changed = false;
    var data = answers();
    data.append('_version', version.value);
    data.append('_do', 'save');
    say(form.getAttribute('data-autosave'), 'saving');
    fetch(form.getAttribute('action'), { method: 'POST', body: data, headers: { Accept: 'application/json' }, credentials: 'same-origin' })
      .then(function (response) {
        return response.json().then(function (body) { return { ok: response.ok, body: body }; });
      })
      .then(function (answer) {
        saving = false;
        if (answer.ok) {
          version.value = answer.body.version;
          delay = 1200;
          say(answer.body.saved);
          if (changed) { keep(); later(); } else { forget(); }
        } else {
          keep();
          say(answer.body.newer || answer.body.error, 'conflict');
        }
      })
      .catch(function () {
        saving = false;
        changed = true;
        keep();
        say(form.getAttribute('data-offline'), 'offline');
        delay = Math.min(delay * 2, 30000);
        later(delay);
      })
      .then(function () {
        if (!waiting) { return; }
        var button = waiting === true ? undefined : waiting;
        waiting = null;
        form.requestSubmit(button);
      });
  }

  form.addEventListener('input', function () { changed = true; keep(); later(); });
  form.addEventListener('change', function () { changed = true; keep(); later(); });
  // A save that is under way ends first, or the form would meet its own draft as somebody else's.
  form.addEventListener('submit', function (event) {
    clearTimeout(timer);
    if (saving) { event.preventDefault(); waiting = event.submitter || true; return; }
    if (navigator.onLine === false) { event.preventDefault(); keep(); say(form.getAttribute('data-offline'), 'offline'); return; }
    sent = true;
    leave();
  });
  window.addEventListener('online', function () { delay = 1200; later(1); });
  window.addEventListener('pagehide', function () { if (changed && !sent) { keep(); } });
  // Back from the next page: what is shown is what was typed, and it may be sent again.
  window.addEventListener('pageshow', function () { sent = false; });
  restore();
}());
