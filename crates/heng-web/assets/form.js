// Saves a form while it is filled in, also through a lost connection. Without this script the button "save" does the same.
'use strict';
(function () {
  function each(list, work) { Array.prototype.forEach.call(list, work); }
  function shown(n) { return String(n).replace(/\B(?=(\d{3})+$)/g, ','); }

  // Characters typed, under each long answer; those of all items count together.
  function count(form) {
    var notes = form.querySelectorAll('.count[data-for]');
    function length(note) { var area = document.getElementById(note.getAttribute('data-for')); return area ? Array.from(area.value.trim()).length : 0; }
    function tell() {
      var here = 0;
      each(notes, function (note) { if (note.hasAttribute('data-rest')) { here += length(note); } });
      var first = form.querySelector('.count[data-rest]');
      // What the other parts hold is what the page knew of all, less what stood here.
      if (first && elsewhere === null) { elsewhere = Number(first.getAttribute('data-rest')) + length(first) - here; }
      each(notes, function (note) {
        var own = length(note);
        var all = note.hasAttribute('data-rest') ? elsewhere + here : own;
        var most = Number(note.getAttribute('data-most'));
        var text = note.getAttribute('data-text').replace('{typed}', shown(own)).replace('{all}', shown(all)).replace('{most}', shown(most));
        if (all > most) { text += ' ' + note.getAttribute('data-over').replace('{over}', shown(all - most)); }
        note.textContent = text;
        if (all > most) { note.setAttribute('data-state', 'over'); } else { note.removeAttribute('data-state'); }
      });
    }
    var elsewhere = null;
    form.addEventListener('input', tell);
    tell();
  }

  // What the typed number says, under each question that has a scale.
  function scales(form) {
    each(form.querySelectorAll('.scale[data-for]'), function (scale) {
      var input = document.getElementById(scale.getAttribute('data-for'));
      var note = scale.querySelector('[role=status]');
      if (!input) { return; }
      input.addEventListener('input', function () {
        // Full-width digits are digits here as they are on the server.
        var typed = input.value.normalize('NFKC').replace(/%/, '').trim();
        var number = /^\d+$/.test(typed) ? Number(typed) : NaN;
        var said = '';
        each(scale.querySelectorAll('li'), function (grade) {
          if (number >= Number(grade.getAttribute('data-from')) && number <= Number(grade.getAttribute('data-to'))) { said = grade.textContent; }
        });
        note.textContent = said;
      });
    });
  }

  // Tables that are filled in: more rows, and whole blocks pasted from a spreadsheet.
  function rowsOf(table) { return table.tBodies[0].rows; }
  function cellsOf(row) { return row.querySelectorAll('input'); }
  function addRow(table) {
    var rows = rowsOf(table);
    if (!rows.length || rows.length >= Number(table.getAttribute('data-most'))) { return null; }
    var row = rows[rows.length - 1].cloneNode(true);
    each(cellsOf(row), function (cell) {
      var column = cell.parentNode.getAttribute('data-label');
      cell.value = '';
      cell.removeAttribute('id');
      cell.setAttribute('aria-label', table.getAttribute('data-cell').replace('{row}', rows.length + 1).replace('{column}', column));
    });
    table.tBodies[0].appendChild(row);
    return row;
  }
  function fillFrom(table, text, top, left) {
    var lines = text.replace(/\r\n?/g, '\n').replace(/\n+$/, '').split('\n');
    var lost = 0;
    each(lines, function (line, down) {
      var row = rowsOf(table)[top + down] || addRow(table);
      var cells = row ? cellsOf(row) : [];
      each(line.split('\t'), function (value, right) {
        if (cells[left + right]) { cells[left + right].value = value.trim(); } else if (value.trim()) { lost += 1; }
      });
    });
    return lost;
  }
  function grids(form) {
    each(form.querySelectorAll('table.grid'), function (table) {
      var button = document.createElement('button');
      button.type = 'button';
      button.className = 'button';
      button.textContent = table.getAttribute('data-add');
      button.addEventListener('click', function () {
        var row = addRow(table);
        if (row) { cellsOf(row)[0].focus(); } else { note.textContent = table.getAttribute('data-full').replace('{most}', table.getAttribute('data-most')); }
      });
      var line = document.createElement('p');
      var note = document.createElement('p');
      note.className = 'hint';
      note.setAttribute('role', 'status');
      line.appendChild(button);
      table.parentNode.insertAdjacentElement('afterend', line);
      line.insertAdjacentElement('afterend', note);
      table.addEventListener('paste', function (event) {
        var text = event.clipboardData ? event.clipboardData.getData('text/plain') : '';
        if (!event.target.matches('input') || !/[\t\n]/.test(text.replace(/[\r\n]+$/, ''))) { return; }
        event.preventDefault();
        var row = event.target.closest('tr');
        var lost = fillFrom(table, text, Array.prototype.indexOf.call(rowsOf(table), row), Array.prototype.indexOf.call(cellsOf(row), event.target));
        note.textContent = lost ? table.getAttribute('data-lost').replace('{count}', lost) : '';
        event.target.dispatchEvent(new Event('input', { bubbles: true }));
      });
    });
  }
  var form = document.querySelector('form.act');
  var line = document.getElementById('saved');
  if (form) { count(form); scales(form); grids(form); }
  if (!form || !line || !window.fetch || !window.URLSearchParams) { return; }
  var version = form.querySelector('input[name="_version"]');
  function fields() { return form.querySelectorAll('input:not([type="hidden"]):not([name="_theirs"]), textarea, select'); }
  if (!fields().length) { return; }
  var key = 'heng-draft:' + form.getAttribute('action') + window.location.search;
  var timer = null;
  var saving = false;
  var changed = false;
  var sent = false;
  var waiting = null;
  var delay = 1200;
  // Answers that somebody else changed too, by name: until one of both is chosen, theirs stays in the draft.
  var open = {};
  // The version upon which such answers were typed: whoever comes back to them is asked again.
  var base = null;

  function say(text, state) {
    line.textContent = text;
    line.setAttribute('data-state', state || 'saved');
  }

  var part = form.querySelector('input[name="_part"]');

  function answers() {
    var data = new URLSearchParams();
    if (part) { data.append('_part', part.value); }
    each(fields(), function (field) {
      if (!field.name || ((field.type === 'checkbox' || field.type === 'radio') && !field.checked)) { return; }
      data.append(field.name, field.value);
    });
    return data;
  }

  function named(name) { return Array.prototype.filter.call(fields(), function (field) { return field.name === name; }); }

  // Puts an answer into the page, as it came from the server or was kept here.
  function put(name, values) {
    var all = named(name);
    if (!all.length) { return; }
    var table = all[0].closest('table.grid');
    if (all[0].type === 'checkbox' || all[0].type === 'radio') {
      each(all, function (field) { field.checked = values.indexOf(field.value) >= 0; });
    } else if (!table) {
      all[0].value = values.length ? values[0] : '';
    } else {
      each(all, function (field) { field.value = ''; });
      var width = cellsOf(rowsOf(table)[0]).length;
      var lines = values.length > 1 ? [] : (values[0] || '').split('\n');
      for (var at = 0; values.length > 1 && at < values.length; at += width) { lines.push(values.slice(at, at + width).join('\t')); }
      fillFrom(table, lines.join('\n'), 0, 0);
    }
  }

  // What others changed on this page meanwhile comes in where nothing was typed since the save began.
  function take(others, asked) {
    var now = answers();
    Object.keys(others || {}).forEach(function (name) {
      if (String(now.getAll(name)) === String(asked.getAll(name))) { put(name, others[name]); }
    });
  }

  // Two texts for one answer: both are seen, and one is chosen.
  function choose(choice) {
    if (open[choice.name]) { open[choice.name].text.textContent = choice.shown; open[choice.name].values = choice.values; return; }
    var box = document.createElement('div');
    var label = document.createElement('p');
    var text = document.createElement('p');
    var buttons = document.createElement('p');
    box.className = 'theirs'; label.className = 'theirs-label'; text.className = 'typed'; buttons.className = 'buttons';
    box.setAttribute('role', 'group');
    box.setAttribute('aria-label', choice.label);
    label.textContent = form.getAttribute('data-theirs');
    text.textContent = choice.shown;
    var own = { text: text, values: choice.values, box: box };
    function button(words, work) {
      var made = document.createElement('button');
      made.type = 'button'; made.className = 'button'; made.textContent = form.getAttribute(words);
      made.addEventListener('click', function () {
        var field = named(choice.name)[0];
        work();
        delete open[choice.name];
        box.remove();
        if (field) { field.focus(); }
        changed = true;
        keep();
        later(1);
      });
      buttons.appendChild(made);
    }
    button('data-keep-mine', function () {});
    button('data-take-theirs', function () { put(choice.name, own.values); });
    box.appendChild(label); box.appendChild(text); box.appendChild(buttons);
    open[choice.name] = own;
    var field = named(choice.name)[0];
    if (field) { (field.closest('.field') || field).insertAdjacentElement('afterend', box); }
  }

  // What the browser keeps until the server has it: the text survives a lost connection, a crash and a closed window.
  function keep() {
    try { localStorage.setItem(key, JSON.stringify({ version: base || version.value, text: answers().toString() })); } catch (e) { /* full or forbidden: the server still saves */ }
  }

  function forget() {
    try { localStorage.removeItem(key); } catch (e) { /* nothing was kept */ }
  }

  // What was typed here stands beside what the form holds now.
  function beside(data) {
    var now = answers();
    var said = false;
    var seen = {};
    each(form.querySelectorAll('textarea, input:not([type]), input[type="text"], input[type="date"], input[type="datetime-local"]'), function (field) {
      var typed = data.getAll(field.name).join('\t');
      if (!typed.trim() || seen[field.name] || typed === now.getAll(field.name).join('\t')) { return; }
      seen[field.name] = true;
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
    var data = new URLSearchParams(kept.text);
    // What was sent meanwhile does not come back into a new form, but nobody has to type it again.
    if (Number(kept.version) < Number(form.getAttribute('data-begun')) || Number(kept.version) > Number(version.value)) { beside(data); forget(); return; }
    // Typed upon an older version: the server puts both together, and asks where both changed the same answer.
    version.value = kept.version;
    var names = {};
    each(fields(), function (field) { if (field.name) { names[field.name] = true; } });
    Object.keys(names).forEach(function (name) {
      var field = named(name)[0];
      if (field.type === 'checkbox' || field.type === 'radio' || data.has(name)) { put(name, data.getAll(name)); }
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
    var asked = answers();
    data.append('_version', version.value);
    data.append('_do', 'save');
    Object.keys(open).forEach(function (name) { data.append('_theirs', name); });
    var upon = version.value;
    say(form.getAttribute('data-autosave'), 'saving');
    fetch(form.getAttribute('action'), { method: 'POST', body: data, headers: { Accept: 'application/json' }, credentials: 'same-origin' })
      .then(function (response) {
        return response.json().then(function (body) { return { ok: response.ok, body: body }; });
      })
      .then(function (answer) {
        saving = false;
        if (answer.body.version) {
          version.value = answer.body.version;
          delay = 1200;
          take(answer.body.others, asked);
          each(answer.body.choices || [], choose);
          base = Object.keys(open).length ? base || upon : null;
          if (Object.keys(open).length) { say(answer.body.newer || form.getAttribute('data-choose'), 'conflict'); } else { say(answer.body.saved); }
          if (changed) { keep(); later(); } else if (Object.keys(open).length) { keep(); } else { forget(); }
        } else {
          keep();
          say(answer.body.error, 'conflict');
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
    var two = Object.keys(open)[0];
    if (two) { event.preventDefault(); say(form.getAttribute('data-choose'), 'conflict'); open[two].box.querySelector('button').focus(); return; }
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
