// Draws the page of a session anew when the stream says that the session has moved on, never over something that is being
// typed or sent. Without this script the link "refresh" does the same.
'use strict';
(function () {
  var live = document.getElementById('live');
  if (!live || !window.EventSource || !window.fetch) { return; }
  var source = null, due = null, drawn = Date.now(), held = 0, wanted = '', busy = false, over = false;

  function mark() { return live ? live.getAttribute('data-mark') : ''; }
  function stop() { over = true; clearTimeout(due); if (source) { source.close(); } }
  function soon(wait) { clearTimeout(due); due = setTimeout(draw, wait); }

  // What a screen reader is told of a new drawing: the sentences that were not there before, not the whole page. The place
  // where they stand stays when the page is drawn anew.
  var said = document.createElement('p');
  said.className = 'visually-hidden';
  said.id = 'session-said';
  said.setAttribute('aria-live', 'polite');
  document.body.appendChild(said);
  function sentences() {
    var found = document.querySelectorAll('#main .next-text, #main .session p:not(.countdown):not(.quiet), #main .session dd');
    return Array.prototype.map.call(found, function (one) { return one.textContent.trim(); }).filter(Boolean);
  }

  function put(fresh) {
    var main = document.getElementById('main'), before = sentences();
    var at = document.activeElement && main.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
    var folds = Array.prototype.map.call(main.querySelectorAll('details'), function (fold) { return fold.open; });
    main.innerHTML = fresh.innerHTML;
    Array.prototype.forEach.call(main.querySelectorAll('details'), function (fold, index) { if (folds[index]) { fold.open = true; } });
    Array.prototype.some.call(main.querySelectorAll('a[href]'), function (link) {
      if (!at || link.getAttribute('href') !== at) { return false; }
      link.focus({ preventScroll: true });
      return true;
    });
    var news = sentences().filter(function (one) { return before.indexOf(one) < 0; });
    if (news.length) { said.textContent = news.join(' '); }
    drawn = Date.now();
    live = document.getElementById('live');
    if (!live) { stop(); }
  }

  function draw() {
    if (over || busy) { return; }
    // Nothing moves away from under a finger.
    if (Date.now() - held < 700) { soon(700); return; }
    busy = true;
    var asked = wanted;
    fetch(location.href, { credentials: 'same-origin' }).then(function (response) {
      // Signed out, or something is wrong: the page stays, and its links say what is the matter.
      if (!response.ok || response.redirected) { stop(); return ''; }
      return response.text();
    }).then(function (text) {
      var fresh = text && new DOMParser().parseFromString(text, 'text/html').getElementById('main');
      if (fresh && !over) { put(fresh); }
    }, function () {}).then(function () {
      busy = false;
      if (!over && wanted !== asked && wanted !== mark()) { soon(300); }
    });
  }

  function listen() {
    if (over || source) { return; }
    source = new EventSource(live.getAttribute('data-live'));
    source.onmessage = function (message) {
      wanted = message.data;
      // A hall of devices does not ask in the same instant.
      if (wanted !== mark()) { soon(100 + Math.random() * 900); }
    };
  }

  function tick() {
    Array.prototype.forEach.call(document.querySelectorAll('[data-left]'), function (left) {
      var seconds = Math.ceil(Number(left.getAttribute('data-left')) - (Date.now() - drawn) / 1000);
      if (seconds > 0) { left.textContent = left.getAttribute('data-words').replace('#', seconds); } else { left.removeAttribute('data-left'); soon(0); }
    });
  }

  document.addEventListener('input', stop);
  document.addEventListener('submit', stop);
  document.addEventListener('pointerdown', function () { held = Date.now(); });
  // A page that nobody looks at holds no connection; when it is seen again the stream says first where things stand.
  document.addEventListener('visibilitychange', function () {
    if (!document.hidden) { listen(); } else if (source) { source.close(); source = null; }
  });
  if (!document.hidden) { listen(); }
  tick();
  setInterval(tick, 1000);
}());
