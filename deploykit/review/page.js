(function () {
  "use strict";
  // Without this script the environments stand below each other, and the tabs are plain links to them.
  var list = document.querySelector(".tabs");
  if (!list) return;
  var tabs = Array.prototype.slice.call(list.querySelectorAll("a"));
  var panels = tabs.map(function (tab) { return document.getElementById(tab.hash.slice(1)); });

  list.setAttribute("role", "tablist");
  list.setAttribute("aria-label", "Environments");
  tabs.forEach(function (tab, number) {
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panels[number].id);
    panels[number].setAttribute("role", "tabpanel");
    panels[number].setAttribute("aria-labelledby", tab.id);
    panels[number].tabIndex = 0;
  });

  function select(chosen) {
    tabs.forEach(function (tab, number) {
      tab.setAttribute("aria-selected", String(number === chosen));
      tab.tabIndex = number === chosen ? 0 : -1;
      panels[number].hidden = number !== chosen;
    });
  }

  function choose(number) {
    select(number);
    tabs[number].focus();
    try { history.replaceState(null, "", tabs[number].hash); } catch (refused) { /* some viewers forbid it */ }
  }

  function follow() {
    var target = location.hash && document.getElementById(location.hash.slice(1));
    var panel = target && target.closest(".panel");
    select(Math.max(panels.indexOf(panel), 0));
    if (target && target !== panel) target.scrollIntoView();
  }

  list.addEventListener("click", function (event) {
    var tab = event.target.closest("a");
    if (!tab || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(tabs.indexOf(tab));
  });
  list.addEventListener("keydown", function (event) {
    var here = tabs.indexOf(document.activeElement), last = tabs.length - 1, there;
    if (here < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "ArrowRight") there = here === last ? 0 : here + 1;
    else if (event.key === "ArrowLeft") there = here === 0 ? last : here - 1;
    else if (event.key === "Home") there = 0;
    else if (event.key === "End") there = last;
    else if (event.key === " ") there = here;
    else return;
    event.preventDefault();
    choose(there);
  });
  window.addEventListener("hashchange", follow);
  follow();
})();
