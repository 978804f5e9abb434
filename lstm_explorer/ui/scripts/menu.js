// On a phone the menu of pages lies over the page, and Streamlit leaves it open after a choice: press its own button.
export default function () {
    if (window.lstmExplorerMenu) return;
    window.lstmExplorerMenu = true;
    document.addEventListener('click', event => {
        if (!event.target.closest?.('[data-testid=stSidebarNavLink]') || window.innerWidth > 768) return;
        setTimeout(() => document.querySelector('[data-testid=stSidebarCollapseButton] button')?.click(), 50);
    });
}
