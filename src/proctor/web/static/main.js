// Until the live page is here: the plain table, from behind the scripts' back.
const plain = document.querySelector("body noscript").textContent;
document.getElementById("app").append(...new DOMParser().parseFromString(plain, "text/html").body.childNodes);
