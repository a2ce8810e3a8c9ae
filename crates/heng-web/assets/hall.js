// The hall screen: shows what the server sends, nothing else. Without this script the page reloads nothing and stays right.
'use strict';
(function () {
  var hall = document.getElementById('hall');
  var live = document.getElementById('hall-live');
  var address = hall && hall.getAttribute('data-live');
  if (!live || !address || !window.EventSource) { return; }
  var head = hall.querySelector('.hall-head');
  var subject = hall.querySelector('.hall-subject');
  var foot = hall.querySelector('.hall-foot');
  var said = document.getElementById('hall-said');
  var source = new EventSource(address);
  source.onmessage = function (message) {
    var screen = JSON.parse(message.data);
    if (head.textContent !== screen.head) { head.textContent = screen.head; }
    if (subject.textContent !== screen.subject) { subject.textContent = screen.subject; }
    if (live.innerHTML !== screen.body) { live.innerHTML = screen.body; }
    // Read out is what has changed, not the whole screen.
    if (said && said.textContent !== screen.said) { said.textContent = screen.said; }
    if (foot && foot.innerHTML !== screen.foot) { foot.innerHTML = screen.foot; }
    hall.setAttribute('data-state', 'live');
  };
  source.onerror = function () { hall.setAttribute('data-state', 'waiting'); };
}());
