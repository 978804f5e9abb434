// A component runs again whenever its page does; the number of its call says whether this is the first time.
function isNew(number) {
    window.lstmExplorerDone ??= new Set();
    if (window.lstmExplorerDone.has(number)) return false;
    window.lstmExplorerDone.add(number);
    return true;
}
